// purpose: create the graph where it is missing and hold its write lock until the transaction ends
// params: graph_id
// returns: digest
// access: write
MERGE (g:Graph {graph_id: $graph_id})
ON CREATE SET g.created_at = datetime(), g.imports = 0
SET g.imports = g.imports + 1
RETURN g.digest AS digest
