// purpose: give depth 0 to chosen members of cycles that no root reaches
// params: graph_id, uids
// returns: reached
// access: write
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: $graph_id, uid: uid})
SET e.depth = 0
RETURN count(e) AS reached
