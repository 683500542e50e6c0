// purpose: the digest of an imported graph
// params: graph_id
// returns: digest
// access: read
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL
RETURN g.digest AS digest
