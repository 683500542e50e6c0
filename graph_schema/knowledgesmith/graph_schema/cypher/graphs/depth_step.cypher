// purpose: give the children of one depth, where they have none yet, the next depth
// params: graph_id, depth
// returns: reached
// access: write
MATCH (p:Entity {graph_id: $graph_id, depth: $depth})-[:HAS_CHILD]->(c:Entity)
WHERE c.depth IS NULL
WITH DISTINCT c
SET c.depth = $depth + 1
RETURN count(c) AS reached
