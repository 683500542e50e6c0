// purpose: the selected branch of a graph, and whether it is one of its own
// params: graph_id
// returns: branch_id, own
// access: read
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.head_branch IS NOT NULL
RETURN g.head_branch AS branch_id, EXISTS { (:Branch {id: g.head_branch, graph_id: g.graph_id}) } AS own
