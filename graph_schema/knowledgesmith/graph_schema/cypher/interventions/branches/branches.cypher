// purpose: branches by id, after a given id, of one graph or of all (graph_id empty); or exactly one (only not empty)
// params: graph_id, only, after, limit
// returns: id, model_id, graph_id, head_revision, interventions, busy_with
// access: read
//
// Each of the three ways has its own index, so that none looks at the branches of other graphs. A branch without a head
// is one whose head is just being moved: whoever lists reads again.
CALL () {
  WITH $only AS id
  WHERE id <> ''
  MATCH (b:Branch {id: id})
  WHERE b.deleting_at IS NULL AND b.id > $after AND ($graph_id = '' OR b.graph_id = $graph_id)
  RETURN b
  UNION ALL
  WITH $graph_id AS graph_id
  WHERE $only = '' AND graph_id <> ''
  MATCH (b:Branch {graph_id: graph_id})
  USING INDEX b:Branch(graph_id)
  WHERE b.id > $after AND b.deleting_at IS NULL
  RETURN b ORDER BY b.id LIMIT $limit
  UNION ALL
  WITH $graph_id AS graph_id
  WHERE $only = '' AND graph_id = ''
  MATCH (b:Branch)
  WHERE b.id > $after AND b.deleting_at IS NULL
  RETURN b ORDER BY b.id LIMIT $limit
}
OPTIONAL MATCH (b)-[:HEAD]->(head:Revision)
OPTIONAL MATCH (b)<-[:ON]-(i:Intervention)
WITH b, head, i ORDER BY i.commit_order
WITH b, head,
     [x IN collect(i) WHERE x.state = 'SUCCEEDED' AND x.rolled_back_at IS NULL | x.id] AS committed,
     [x IN collect(i) WHERE x.state IN ['PREPARING', 'RUNNING', 'AWAITING_DECISION', 'COMMITTING'] | x.id] AS busy
RETURN b.id AS id, b.model_id AS model_id, b.graph_id AS graph_id, coalesce(head.id, '') AS head_revision,
       committed AS interventions, CASE WHEN size(busy) = 0 THEN '' ELSE busy[0] END AS busy_with
ORDER BY id
