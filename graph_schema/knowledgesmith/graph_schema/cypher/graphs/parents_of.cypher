// purpose: the links from parents down to given children
// params: graph_id, uids
// returns: parent, child
// access: read
UNWIND $uids AS uid
MATCH (p:Entity)-[:HAS_CHILD]->(c:Entity {graph_id: $graph_id, uid: uid})
RETURN p.uid AS parent, c.uid AS child
