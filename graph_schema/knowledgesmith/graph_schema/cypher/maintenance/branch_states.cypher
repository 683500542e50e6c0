// purpose: how often the head of each branch of a graph moved, where it is, and whether the branch is the selected one
// params: graph_id
// returns: id, commits, head, selected
// access: read
MATCH (g:Graph {graph_id: $graph_id})
MATCH (b:Branch {graph_id: $graph_id})
OPTIONAL MATCH (b)-[:HEAD]->(r:Revision)
RETURN b.id AS id, coalesce(b.commits, 0) AS commits, coalesce(r.id, '') AS head,
       coalesce(g.head_branch, '') = b.id AS selected
ORDER BY id
