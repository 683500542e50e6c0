// purpose: close a branch that nothing runs on: its commits are locked and it is no longer the selected one
// params: id, live
// returns: graph_id, selected
// access: write
//
// Without a head no new intervention can be queued on it, so a deletion that was cut off can go on later. Which branch is
// selected is read under the graph's lock: another one may be selected at the same time, and stays so.
MATCH (b:Branch {id: $id})
SET b.commits = coalesce(b.commits, 0) + 1
WITH b
WHERE NOT EXISTS { MATCH (b)<-[:ON]-(i:Intervention) WHERE i.state IN $live }
OPTIONAL MATCH (g:Graph {graph_id: b.graph_id})
SET g.head_branch = g.head_branch
WITH b, g, coalesce(g.head_branch = b.id, false) AS selected
OPTIONAL MATCH (b)-[head:HEAD]->(r:Revision)
SET b.deleting_at = coalesce(b.deleting_at, datetime()), b.last_head = coalesce(r.id, b.last_head),
    g.head_branch = CASE WHEN selected THEN null ELSE g.head_branch END
DELETE head
RETURN b.graph_id AS graph_id, selected
