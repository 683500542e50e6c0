// purpose: write links of the hierarchy from lists (uid of the parent, uid of the child)
// params: graph_id, rows
// returns: written
// access: write
UNWIND $rows AS row
MATCH (p:Entity {graph_id: $graph_id, uid: row[0]})
USING INDEX p:Entity(graph_id, uid)
MATCH (c:Entity {graph_id: $graph_id, uid: row[1]})
USING INDEX c:Entity(graph_id, uid)
CREATE (p)-[h:HAS_CHILD]->(c)
RETURN count(h) AS written
