// purpose: delete at most so many relationships of the first entities of a graph that is being deleted
// params: graph_id, entities, limit
// returns: deleted, facts
// access: write
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.deleting_at IS NOT NULL
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > ''
WITH e ORDER BY e.uid LIMIT $entities
MATCH (e)-[f]-()
WITH DISTINCT f LIMIT $limit
WITH f, CASE WHEN f.fact_id IS NULL OR type(f) IN ['CHANGED', 'TARGETS'] THEN 0 ELSE 1 END AS fact
DELETE f
RETURN count(*) AS deleted, sum(fact) AS facts
