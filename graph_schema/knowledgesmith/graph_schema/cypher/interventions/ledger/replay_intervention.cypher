// purpose: say that the heads made by the ledger of a run are to be restored, where its branch is the selected one
// params: id
// returns: graph_id, failed
// access: write
//
// It runs in the transaction that makes the ledger count no longer. The lock on the graph keeps its selected branch as
// it is. A run without rows made no heads. Where restoring has `failed`, all heads are to be restored.
MATCH (i:Intervention {id: $id}) WHERE i.written_rows > 0
MATCH (g:Graph {graph_id: i.graph_id})
SET g.head_branch = g.head_branch
WITH i, g WHERE g.head_branch = i.branch_id
SET g.heads_todo = coalesce(g.heads_todo, []) + ('mend ' + i.id), g.heads_after = coalesce(g.heads_after, 0)
RETURN g.graph_id AS graph_id, g.heads_failed IS NOT NULL AS failed
