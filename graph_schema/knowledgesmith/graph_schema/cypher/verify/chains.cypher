// purpose: chain probes that are not unique, have a shortcut, or whose options are not what they claim to be
// params: graph_id, world, types, rows
// returns: judged, failed
// access: read
//
// Rows are [id, anchor, steps, right options, wrong options]. Independent of the query that made them: it matches the
// whole path at once and counts paths, where the other walks step by step and counts answers.
// Every row is judged, also one whose anchor is missing; `failed` holds pairs of id and reason.
UNWIND $rows AS row
OPTIONAL MATCH (anchor:Entity {graph_id: $graph_id, uid: row[1]})
CALL (row, anchor) {
  WITH row, anchor, row[2] AS steps
  WHERE size(steps) = 2
  OPTIONAL MATCH (anchor)-[f]-(b:Entity)-[g]-(c:Entity)
  WHERE
    type(f) = steps[0][0] AND
    type(g) = steps[1][0] AND
    (startNode(f) = anchor) = (steps[0][1] = '') AND
    (startNode(g) = b) = (steps[1][1] = '') AND
    all(h IN [f, g] WHERE coalesce(h.world, $world) = $world)
  // grouping by the anchor keeps a chain of the other length from counting as no path
  WITH anchor, steps, count(c) AS paths, collect(DISTINCT c.uid) AS ends
  RETURN
    paths,
    ends,
    COUNT {
      (anchor)-[k]-()
      WHERE type(k) = steps[0][0] AND (startNode(k) = anchor) = (steps[0][1] = '') AND coalesce(k.world, $world) = $world
    } AS widest
  UNION ALL
  WITH row, anchor, row[2] AS steps
  WHERE size(steps) = 3
  OPTIONAL MATCH (anchor)-[f]-(b:Entity)-[g]-(c:Entity)-[h]-(d:Entity)
  WHERE
    type(f) = steps[0][0] AND
    type(g) = steps[1][0] AND
    type(h) = steps[2][0] AND
    (startNode(f) = anchor) = (steps[0][1] = '') AND
    (startNode(g) = b) = (steps[1][1] = '') AND
    (startNode(h) = c) = (steps[2][1] = '') AND
    all(k IN [f, g, h] WHERE coalesce(k.world, $world) = $world)
  WITH
    anchor,
    steps,
    count(d) AS paths,
    collect(DISTINCT d.uid) AS ends,
    max(COUNT {
      (b)-[k]-()
      WHERE type(k) = steps[1][0] AND (startNode(k) = b) = (steps[1][1] = '') AND coalesce(k.world, $world) = $world
    }) AS second
  RETURN
    paths,
    ends,
    second +
    COUNT {
      (anchor)-[k]-()
      WHERE type(k) = steps[0][0] AND (startNode(k) = anchor) = (steps[0][1] = '') AND coalesce(k.world, $world) = $world
    } -
    1 AS widest
}
WITH
  row,
  CASE
    WHEN paths = 0 OR size(row[3]) = 0 THEN 'no_answer'
    WHEN paths > 1 OR widest > 1 THEN 'not_unique'
    WHEN NOT ends[0] IN row[3] OR size(row[3]) > 1 THEN 'false_answer'
    WHEN any(uid IN row[4] WHERE uid IN ends) THEN 'true_distractor'
    WHEN
      COUNT {
        (anchor)-[s]->(end:Entity)
        WHERE end.uid = ends[0] AND type(s) IN $types AND coalesce(s.world, $world) = $world
      } >
      0
      THEN 'shortcut'
  END AS reason
RETURN count(*) AS judged, collect(CASE WHEN reason IS NOT NULL THEN [row[0], reason] END) AS failed
