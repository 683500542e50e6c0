// purpose: every way in which given facts follow from other facts of a closed world, in one step
// params: graph_id, world, swaps, chains, rows
// returns: position, asserted, steps
// access: read
//
// Rows are [position, subject, type, object, highest round of a premise]. `swaps` maps a head type to rows
// [premise type, rule], `chains` to rows [type of the first premise, type of the second, rule]. A step is
// [rule, premises], a premise [subject, type, object, fact id, asserted, round]. A chain is walked from the end that
// has fewer relationships, so that a hub at the other end costs nothing.
UNWIND $rows AS row
MATCH (a:Entity {graph_id: $graph_id, uid: row[1]})
MATCH (c:Entity {graph_id: $graph_id, uid: row[3]})
WITH a, c, row, COUNT { (a)-->() } <= COUNT { (c)<--() } AS ahead
CALL (a, c, row, ahead) {
  CALL (a, c, row, ahead) {
    WITH a, c, row
    UNWIND $swaps[row[2]] AS rule
    MATCH (c)-[f]->(a)
    WHERE
      type(f) = rule[0] AND (f.world IS NULL OR f.world = $world) AND coalesce(f.round, 0) <= row[4] AND a <> c
    RETURN rule[1] AS rule, [f] AS premises
    UNION ALL
    WITH a, c, row, ahead
    WHERE ahead AND a <> c
    UNWIND $chains[row[2]] AS rule
    MATCH (a)-[f]->(m:Entity)
    WHERE
      type(f) = rule[0] AND
      (f.world IS NULL OR f.world = $world) AND
      coalesce(f.round, 0) <= row[4] AND
      m <> a AND
      m <> c
    MATCH (m)-[g]->(c)
    WHERE type(g) = rule[1] AND (g.world IS NULL OR g.world = $world) AND coalesce(g.round, 0) <= row[4]
    RETURN rule[2] AS rule, [f, g] AS premises
    UNION ALL
    WITH a, c, row, ahead
    WHERE NOT ahead AND a <> c
    UNWIND $chains[row[2]] AS rule
    MATCH (m:Entity)-[g]->(c)
    WHERE
      type(g) = rule[1] AND
      (g.world IS NULL OR g.world = $world) AND
      coalesce(g.round, 0) <= row[4] AND
      m <> a AND
      m <> c
    MATCH (a)-[f]->(m)
    WHERE type(f) = rule[0] AND (f.world IS NULL OR f.world = $world) AND coalesce(f.round, 0) <= row[4]
    RETURN rule[2] AS rule, [f, g] AS premises
  }
  RETURN collect([
    rule,
    [
      p IN premises |
      [startNode(p).uid, type(p), endNode(p).uid, p.fact_id, p.derived IS NULL, coalesce(p.round, 0)]
    ]
  ]) AS steps
}
RETURN
  row[0] AS position,
  EXISTS {
    (a)-[k]->(c)
    WHERE type(k) = row[2] AND k.derived IS NULL AND (k.world IS NULL OR k.world = $world)
  } AS asserted,
  steps
