// purpose: probe sets of a graph, newest first (of all graphs where the id is empty)
// params: graph_id, skip, limit
// returns: properties, created, id
// access: read
MATCH (s:ProbeSet)
WHERE $graph_id = '' OR s.graph_id = $graph_id
WITH s
ORDER BY s.created_at DESC, s.id
SKIP $skip
LIMIT $limit
RETURN s {.*, created_at: null} AS properties, s.created_at AS created, s.id AS id
ORDER BY created DESC, id
