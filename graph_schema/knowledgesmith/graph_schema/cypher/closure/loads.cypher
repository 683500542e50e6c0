// purpose: in how many derivation steps of a closed world given facts are a premise
// params: graph_id, world, swaps, seconds, firsts, rows
// returns: position, load
// access: read
//
// Rows are [position, subject, type, object]; `swaps`, `seconds` and `firsts` as in the queries of a round. Steps are
// counted whether or not another proof of their head was found first.
UNWIND $rows AS row
MATCH (a:Entity {graph_id: $graph_id, uid: row[1]})
MATCH (b:Entity {graph_id: $graph_id, uid: row[3]})
WITH row, a, b, [s IN $seconds[row[2]] | s[0]] AS after, [s IN $firsts[row[2]] | s[0]] AS ahead
RETURN
  row[0] AS position,
  CASE WHEN a = b THEN 0
    ELSE
      size(coalesce($swaps[row[2]], [])) +
      COUNT {
        (b)-[g]->(c:Entity)
        WHERE type(g) IN after AND c <> a AND c <> b AND (g.world IS NULL OR g.world = $world)
      } +
      COUNT {
        (c:Entity)-[f]->(a)
        WHERE type(f) IN ahead AND c <> a AND c <> b AND (f.world IS NULL OR f.world = $world)
      }
  END AS load
