// purpose: say that restoring the heads of a graph failed, so that nobody waits for it until something changes
// params: graph_id
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id}) WHERE g.heads_todo IS NOT NULL
SET g.heads_failed = true
RETURN g.graph_id AS graph_id
