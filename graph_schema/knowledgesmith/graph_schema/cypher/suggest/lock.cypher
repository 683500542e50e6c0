// purpose: hold a graph's write lock until the transaction ends
// params: graph_id
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.imports = coalesce(g.imports, 0) + 0
RETURN g.graph_id AS graph_id
