// purpose: remove the derived facts of one world from a transaction that will be rolled back
// params: graph_id, world, subjects
// returns: removed
// access: write
UNWIND $subjects AS uid
MATCH (a:Entity {graph_id: $graph_id, uid: uid})-[f]->(:Entity)
WHERE f.derived AND f.world = $world
DELETE f
RETURN count(f) AS removed
