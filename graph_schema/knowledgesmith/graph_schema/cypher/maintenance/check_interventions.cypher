// purpose: interventions that name a graph, and what is wrong with the place of each
// params: graph_id
// returns: id, state, problem
// access: read
MATCH (i:Intervention {graph_id: $graph_id})
WITH i, COUNT { (i)-[:ON]->(:Branch {id: i.branch_id, graph_id: i.graph_id}) } AS places
RETURN i.id AS id, i.state AS state, CASE
  WHEN i.deleting_at IS NOT NULL THEN 'its deletion was cut off'
  WHEN places <> 1 THEN 'on no branch of this graph, or on several'
  WHEN i.state = 'SUCCEEDED' AND NOT EXISTS { (i)-[:PRODUCED]->(:Revision) } THEN 'committed without a revision'
END AS problem
ORDER BY id
