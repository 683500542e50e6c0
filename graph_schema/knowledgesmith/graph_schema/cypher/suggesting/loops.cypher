// purpose: facts of some relations by which an entity would stand above or below itself
// params: graph_id, rel_types, limit
// returns: uid, rel_type
// access: read
MATCH (e:Entity {graph_id: $graph_id})-[f]->(e)
WHERE type(f) IN $rel_types AND f.fact_id IS NOT NULL
RETURN e.uid AS uid, type(f) AS rel_type
ORDER BY uid, rel_type
LIMIT $limit
