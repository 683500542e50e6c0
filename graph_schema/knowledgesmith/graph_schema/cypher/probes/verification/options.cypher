// purpose: probes of one fact whose options are not what they claim to be, judged in the graph
// params: graph_id, world, rows
// returns: judged, failed
// access: read
//
// Rows are [id, anchor, type, backward, right options, wrong options]. Independent of the queries that made them: those
// group all facts of an anchor by type; this one matches the claimed type and direction alone, from the options' end of
// the pattern, and then holds every option against what it found.
// Every row is judged, also one whose anchor is missing; `failed` holds pairs of id and reason.
UNWIND $rows AS row
OPTIONAL MATCH (anchor:Entity {graph_id: $graph_id, uid: row[1]})
CALL (row, anchor) {
  WITH row, anchor
  WHERE NOT row[3]
  OPTIONAL MATCH (option:Entity)<-[f]-(anchor)
  WHERE type(f) = row[2] AND coalesce(f.world, $world) = $world
  // grouping by the anchor keeps a claim of the other direction from counting as one without facts
  WITH anchor, collect(option.uid) AS holds
  RETURN holds
  UNION ALL
  WITH row, anchor
  WHERE row[3]
  OPTIONAL MATCH (option:Entity)-[f]->(anchor)
  WHERE type(f) = row[2] AND coalesce(f.world, $world) = $world
  WITH anchor, collect(option.uid) AS holds
  RETURN holds
}
WITH
  row[0] AS id,
  CASE
    WHEN size(row[4]) = 0 THEN 'no_answer'
    WHEN any(uid IN row[4] WHERE NOT uid IN holds) THEN 'false_answer'
    WHEN any(uid IN row[5] WHERE uid IN holds) THEN 'true_distractor'
  END AS reason
RETURN count(*) AS judged, collect(CASE WHEN reason IS NOT NULL THEN [id, reason] END) AS failed
