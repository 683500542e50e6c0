// purpose: names of living entities that begin like a text, to suggest one of them
// params: graph_id, start
// returns: name
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE toLower(e.name) STARTS WITH toLower($start) AND NOT e.retired
RETURN DISTINCT e.name AS name
ORDER BY name LIMIT 500
