// purpose: entities that a relation links to themselves
// params: graph_id, types, limit
// returns: uid
// access: read
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > ''
WITH a ORDER BY a.uid
MATCH (a)-[f]->(a)
WHERE type(f) IN $types AND f.fact_id IS NOT NULL
RETURN DISTINCT a.uid AS uid
LIMIT $limit
