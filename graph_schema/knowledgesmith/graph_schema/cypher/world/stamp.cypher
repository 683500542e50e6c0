// purpose: what changes whenever a graph is imported: its digest and the time of the import
// params: graph_id
// returns: stamp
// access: read
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL
RETURN g.digest + ' ' + coalesce(toString(g.imported_at), '') AS stamp
