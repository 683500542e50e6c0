// purpose: what entities of given uids stand for, living, retired or inserted by any branch
// params: graph_id, uids
// returns: uid, name, type, domain, aliases
// access: read
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: $graph_id, uid: uid})
RETURN e.uid AS uid, e.name AS name, e.type AS type, e.domain AS domain, e.aliases AS aliases
