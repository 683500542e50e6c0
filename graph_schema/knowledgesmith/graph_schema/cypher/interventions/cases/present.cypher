// purpose: which of the given uids the graph has, with their names (retired entities too: old cases stay readable)
// params: graph_id, uids
// returns: uid, name
// access: read
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: $graph_id, uid: uid})
RETURN e.uid AS uid, e.name AS name
