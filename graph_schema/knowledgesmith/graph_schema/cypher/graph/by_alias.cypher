// purpose: living entities that have exactly this alias
// params: graph_id, text
// returns: uid, name, type
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE $text IN e.aliases AND NOT e.retired
RETURN e.uid AS uid, e.name AS name, e.type AS type
ORDER BY uid LIMIT 50
