// purpose: which of some uids stand for no entity of a graph
// params: graph_id, uids
// returns: uid
// access: read
UNWIND $uids AS uid
OPTIONAL MATCH (e:Entity {graph_id: $graph_id, uid: uid})
WITH uid, e WHERE e IS NULL
RETURN DISTINCT uid
ORDER BY uid LIMIT 1
