// purpose: living entities of exactly this name
// params: graph_id, text
// returns: uid, name, type
// access: read
MATCH (e:Entity {graph_id: $graph_id, name: $text})
WHERE NOT e.retired
RETURN e.uid AS uid, e.name AS name, e.type AS type
ORDER BY uid LIMIT 50
