// purpose: ids of the imported graphs after a given id, in order
// params: after, limit
// returns: graph_id
// access: read
MATCH (g:Graph)
WHERE g.graph_id > $after AND g.digest IS NOT NULL
RETURN g.graph_id AS graph_id
ORDER BY graph_id LIMIT $limit
