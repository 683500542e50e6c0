// purpose: the living entity of a uid
// params: graph_id, text
// returns: uid, name, type
// access: read
MATCH (e:Entity {graph_id: $graph_id, uid: $text})
WHERE NOT e.retired
RETURN e.uid AS uid, e.name AS name, e.type AS type
