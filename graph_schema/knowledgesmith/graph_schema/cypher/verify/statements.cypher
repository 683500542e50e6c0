// purpose: statement probes whose claimed truth is wrong
// params: graph_id, world, rows
// returns: id, reason
// access: read
//
// Rows are [id, subject, type, object, claimed]. Independent of the query that made them: it looks the object up among
// all objects of the subject instead of matching the fact.
UNWIND $rows AS row
MATCH (subject:Entity {graph_id: $graph_id, uid: row[1]})
WITH
  row,
  row[3] IN COLLECT {
    MATCH (subject)-[f]->(x:Entity)
    WHERE type(f) = row[2] AND coalesce(f.world, $world) = $world
    RETURN x.uid
  } AS holds
WHERE holds <> row[4]
RETURN row[0] AS id, CASE WHEN row[4] THEN 'false_answer' ELSE 'true_distractor' END AS reason
