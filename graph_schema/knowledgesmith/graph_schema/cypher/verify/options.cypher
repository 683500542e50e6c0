// purpose: probes of one fact whose options are not what they claim to be, judged option by option
// params: graph_id, world, rows
// returns: id, reason
// access: read
//
// Rows are [id, anchor, type, backward, right options, wrong options]. Independent of the queries that made them:
// those collect the answers of an anchor, this one starts at each option and counts the facts that lead to the anchor.
UNWIND $rows AS row
MATCH (anchor:Entity {graph_id: $graph_id, uid: row[1]})
CALL (row, anchor) {
  UNWIND row[4] + row[5] AS uid
  OPTIONAL MATCH (option:Entity {graph_id: $graph_id, uid: uid})
  RETURN
    collect([
      uid,
      option IS NOT NULL AND
      CASE
        WHEN row[3]
          THEN COUNT {
            (option)-[f]->(x)
            WHERE x = anchor AND type(f) = row[2] AND coalesce(f.world, $world) = $world
          }
        ELSE COUNT {
          (option)<-[f]-(x)
          WHERE x = anchor AND type(f) = row[2] AND coalesce(f.world, $world) = $world
        }
      END >
      0
    ]) AS judged
}
WITH
  row[0] AS id,
  CASE
    WHEN size(row[4]) = 0 THEN 'no_answer'
    WHEN any(pair IN judged WHERE pair[0] IN row[4] AND NOT pair[1]) THEN 'false_answer'
    WHEN any(pair IN judged WHERE pair[0] IN row[5] AND pair[1]) THEN 'true_distractor'
  END AS reason
WHERE reason IS NOT NULL
RETURN id, reason
