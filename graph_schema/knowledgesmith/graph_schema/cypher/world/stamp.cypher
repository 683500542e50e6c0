// purpose: what changes whenever a graph is imported or traits are accepted: its digest and the times of both
// params: graph_id
// returns: stamp
// access: read
//
// There is no row while the graph is not usable: being imported, loaded or deleted.
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL AND coalesce(g.state, 'ready') = 'ready' AND g.load_member IS NULL AND g.deleting_at IS NULL
RETURN g.digest + ' ' + coalesce(toString(g.imported_at), '') + ' ' + coalesce(toString(g.accepted_at), '') AS stamp
