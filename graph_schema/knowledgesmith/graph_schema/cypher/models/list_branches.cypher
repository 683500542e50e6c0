// purpose: branches by id, after a given id, of one graph or of all (graph_id empty); or exactly one (only not empty)
// params: graph_id, only, after, limit
// returns: id, model_id, graph_id, head_revision, interventions, busy_with
// access: read
MATCH (b:Branch)-[:HEAD]->(head:Revision)
WHERE b.id > $after AND ($only = '' OR b.id = $only) AND ($graph_id = '' OR b.graph_id = $graph_id)
WITH b, head ORDER BY b.id LIMIT $limit
OPTIONAL MATCH (b)<-[:ON]-(i:Intervention)
WITH b, head, i ORDER BY i.commit_order
WITH b, head,
     [x IN collect(i) WHERE x.state = 'SUCCEEDED' AND x.rolled_back_at IS NULL | x.id] AS committed,
     [x IN collect(i) WHERE x.state IN ['PREPARING', 'RUNNING', 'AWAITING_DECISION', 'COMMITTING'] | x.id] AS busy
RETURN b.id AS id, b.model_id AS model_id, b.graph_id AS graph_id, head.id AS head_revision,
       committed AS interventions, CASE WHEN size(busy) = 0 THEN '' ELSE busy[0] END AS busy_with
ORDER BY id
