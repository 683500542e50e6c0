// purpose: living entities whose name differs from the text only by upper and lower case
// params: graph_id, text
// returns: uid, name, type
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE toLower(e.name) = toLower($text) AND NOT e.retired
RETURN e.uid AS uid, e.name AS name, e.type AS type
ORDER BY uid LIMIT 50
