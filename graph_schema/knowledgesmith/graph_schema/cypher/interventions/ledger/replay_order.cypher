// purpose: interventions whose ledgers make up the heads of a graph: committed ones in order, then the running one
// params: graph_id
// returns: id
// access: read
MATCH (g:Graph {graph_id: $graph_id})
MATCH (b:Branch {id: g.head_branch})<-[:ON]-(i:Intervention)
WHERE (i.state = 'SUCCEEDED' AND i.rolled_back_at IS NULL)
   OR (i.state IN ['RUNNING', 'AWAITING_DECISION', 'COMMITTING'] AND i.written_rows > 0)
RETURN i.id AS id
ORDER BY coalesce(i.commit_order, 9223372036854775807), id
