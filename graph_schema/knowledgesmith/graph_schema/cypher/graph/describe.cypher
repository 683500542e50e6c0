// purpose: store what an import says about its graph
// params: graph_id, digest, source
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.digest = $digest, g.source = $source, g.imported_at = datetime()
RETURN g.graph_id AS graph_id
