// purpose: choose the branch whose beliefs stand on the entities of its graph
// params: id
// returns: graph_id
// access: write
MATCH (b:Branch {id: $id})
MATCH (g:Graph {graph_id: b.graph_id})
SET g.head_branch = b.id
RETURN g.graph_id AS graph_id
