// purpose: give depth 0 to the entities that have children and no parent
// params: graph_id
// returns: reached
// access: write
MATCH (e:Entity {graph_id: $graph_id})
WHERE EXISTS { (e)-[:HAS_CHILD]->() } AND NOT EXISTS { (e)<-[:HAS_CHILD]-() }
SET e.depth = 0
RETURN count(e) AS reached
