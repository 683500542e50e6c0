// purpose: mark entities that the files no longer name; they stay readable for old interventions
// params: graph_id, uids
// returns: retired
// access: write
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: $graph_id, uid: uid})
SET e.retired = true
RETURN count(e) AS retired
