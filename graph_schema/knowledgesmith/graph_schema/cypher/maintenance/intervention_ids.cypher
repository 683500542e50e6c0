// purpose: ids of the interventions on the branches of a graph
// params: graph_id
// returns: id
// access: read
MATCH (b:Branch {graph_id: $graph_id})<-[:ON]-(i:Intervention)
RETURN i.id AS id
ORDER BY id
