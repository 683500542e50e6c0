// purpose: close a branch that nothing runs on: its commits are locked and it is no longer the selected one
// params: id, live
// returns: graph_id, selected
// access: write
//
// Without a head no new intervention can be queued on it, so a deletion that was cut off can go on later.
MATCH (b:Branch {id: $id})
SET b.commits = coalesce(b.commits, 0) + 1
WITH b
WHERE NOT EXISTS { MATCH (b)<-[:ON]-(i:Intervention) WHERE i.state IN $live }
OPTIONAL MATCH (b)-[head:HEAD]->(r:Revision)
OPTIONAL MATCH (g:Graph {graph_id: b.graph_id, head_branch: b.id})
WITH b, head, r, g, g IS NOT NULL AS selected
SET b.deleting_at = coalesce(b.deleting_at, datetime()), b.last_head = coalesce(r.id, b.last_head), g.head_branch = null
DELETE head
RETURN b.graph_id AS graph_id, selected
