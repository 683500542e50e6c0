// purpose: links between entities of the hierarchy that no root reaches (they hang below cycles)
// params: graph_id
// returns: parent, child
// access: read
MATCH (p:Entity {graph_id: $graph_id})-[:HAS_CHILD]->(c:Entity)
USING INDEX p:Entity(graph_id)
WHERE p.depth IS NULL AND c.depth IS NULL
RETURN p.uid AS parent, c.uid AS child
