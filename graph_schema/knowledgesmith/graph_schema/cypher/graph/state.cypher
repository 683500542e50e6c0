// purpose: digest and state of a graph; the digest is null before its first import is complete
// params: graph_id
// returns: digest, state
// access: read
MATCH (g:Graph {graph_id: $graph_id})
RETURN g.digest AS digest, coalesce(g.state, 'ready') AS state
