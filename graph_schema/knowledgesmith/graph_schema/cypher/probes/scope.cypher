// purpose: entities of a graph that are not retired, with level and children in the hierarchy
// params: graph_id, uids
// returns: uid, level, children
// access: read
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: $graph_id, uid: uid})
RETURN
  uid,
  head([label IN labels(e) WHERE label IN ['Root', 'Intermediate', 'Leaf']]) AS level,
  COLLECT { MATCH (e)-[:HAS_CHILD]->(c:Entity) RETURN c.uid } AS children
