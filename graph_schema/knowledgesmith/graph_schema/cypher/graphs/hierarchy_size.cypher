// purpose: how many facts of some types a graph has, counted up to a limit
// params: graph_id, types, limit
// returns: links
// access: read
MATCH (e:Entity {graph_id: $graph_id})-[f]->(:Entity)
USING INDEX e:Entity(graph_id)
WHERE type(f) IN $types AND f.fact_id IS NOT NULL
WITH f LIMIT $limit
RETURN count(f) AS links
