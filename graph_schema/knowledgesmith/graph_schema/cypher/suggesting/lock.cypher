// purpose: hold a graph's write lock until the transaction ends; its digest and the traits accepted so far
// params: graph_id
// returns: digest, accepted
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.imports = coalesce(g.imports, 0) + 0
RETURN g.digest AS digest, coalesce(g.accepted_traits, []) AS accepted
