// purpose: delete the first entities of a graph that is being deleted, as far as nothing is linked to them
// params: graph_id, entities
// returns: deleted
// access: write
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.deleting_at IS NOT NULL
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > ''
WITH e ORDER BY e.uid LIMIT $entities
WITH e WHERE NOT EXISTS { (e)--() }
DELETE e
RETURN count(*) AS deleted
