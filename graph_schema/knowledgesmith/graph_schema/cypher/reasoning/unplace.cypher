// purpose: remove all derived facts of given subjects from a transaction that will be rolled back
// params: graph_id, subjects
// returns: removed
// access: write
UNWIND $subjects AS uid
MATCH (a:Entity {graph_id: $graph_id, uid: uid})-[f]->(:Entity)
WHERE f.derived
DELETE f
RETURN count(f) AS removed
