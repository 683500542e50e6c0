// purpose: ids that a worker may claim, oldest first: queued ones on branches that nothing else holds
// params: limit, apart
// returns: id, branch_id
// access: read
MATCH (i:Intervention {state: 'QUEUED'})-[:ON]->(b:Branch)
WHERE NOT b.id IN $apart AND NOT EXISTS {
  MATCH (b)<-[:ON]-(other:Intervention)
  WHERE other.state IN ['PREPARING', 'RUNNING', 'AWAITING_DECISION', 'COMMITTING']
}
RETURN i.id AS id, b.id AS branch_id
ORDER BY i.created_at, id LIMIT $limit
