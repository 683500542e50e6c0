// purpose: add HAS_CHILD for facts that point from the child to its parent
// params: graph_id, types
// returns: added
// access: write
MATCH (c:Entity {graph_id: $graph_id})-[f]->(p:Entity)
WHERE type(f) IN $types AND f.fact_id IS NOT NULL AND c <> p AND NOT EXISTS { (p)-[:HAS_CHILD]->(c) }
WITH DISTINCT p, c
CREATE (p)-[h:HAS_CHILD]->(c)
RETURN count(h) AS added
