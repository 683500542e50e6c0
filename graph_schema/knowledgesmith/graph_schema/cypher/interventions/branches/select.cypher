// purpose: choose the branch whose beliefs stand on the entities of its graph
// params: id
// returns: graph_id
// access: write
//
// A branch that is being deleted is none; the lock on the branch keeps a deletion from coming in between.
MATCH (b:Branch {id: $id})
SET b.commits = coalesce(b.commits, 0) + 0
WITH b
WHERE b.deleting_at IS NULL AND EXISTS { MATCH (b)-[:HEAD]->(:Revision) }
MATCH (g:Graph {graph_id: b.graph_id})
SET g.head_branch = b.id
RETURN g.graph_id AS graph_id
