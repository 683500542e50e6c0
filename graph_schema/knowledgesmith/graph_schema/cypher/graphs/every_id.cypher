// purpose: ids of all graphs, of those being imported, loaded or deleted too
// params:
// returns: graph_id
// access: read
MATCH (g:Graph)
WHERE g.graph_id IS NOT NULL
RETURN g.graph_id AS graph_id
ORDER BY graph_id
