// purpose: the interventions of a branch, those that live among them, and its graph
// params: id, live
// returns: graph_id, head_revision, runs, running, selected
// access: read
MATCH (b:Branch {id: $id})
OPTIONAL MATCH (b)-[:HEAD]->(head:Revision)
OPTIONAL MATCH (g:Graph {graph_id: b.graph_id})
WITH b, head, g
OPTIONAL MATCH (b)<-[:ON]-(i:Intervention)
WITH b, head, g, i ORDER BY i.id
RETURN b.graph_id AS graph_id, coalesce(head.id, '') AS head_revision, collect(i.id) AS runs,
       [x IN collect(i) WHERE x.state IN $live | x.id] AS running, coalesce(g.head_branch = b.id, false) AS selected
