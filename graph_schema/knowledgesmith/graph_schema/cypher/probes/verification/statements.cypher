// purpose: statement probes whose claimed truth is wrong
// params: graph_id, world, rows
// returns: judged, failed
// access: read
//
// Rows are [id, subject, type, object, claimed]. Independent of the query that made them: it looks the object up among
// all objects of the subject instead of matching the fact.
// Every row is judged, also one whose anchor is missing; `failed` holds pairs of id and reason.
UNWIND $rows AS row
OPTIONAL MATCH (subject:Entity {graph_id: $graph_id, uid: row[1]})
WITH
  row,
  row[3] IN COLLECT {
    MATCH (subject)-[f]->(x:Entity)
    WHERE type(f) = row[2] AND coalesce(f.world, $world) = $world
    RETURN x.uid
  } AS holds
RETURN
  count(*) AS judged,
  collect(
    CASE
      WHEN holds AND NOT row[4] THEN [row[0], 'true_distractor']
      WHEN row[4] AND NOT holds THEN [row[0], 'false_answer']
    END
  ) AS failed
