// purpose: begin an attempt: raise the fence, so that every older attempt is locked out
// params: id, from_states
// returns: fence, attempt
// access: write
//
// The lock on the branch keeps a rollback from moving the head between the check and the claim.
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i WHERE i.state IN $from_states
MATCH (i)-[:ON]->(b:Branch)
SET b.commits = coalesce(b.commits, 0) + 0
WITH i, b
MATCH (b)-[:HEAD]->(head:Revision)
WHERE i.state <> 'QUEUED' OR NOT EXISTS {
  MATCH (b)<-[:ON]-(other:Intervention)
  WHERE other.state IN ['PREPARING', 'RUNNING', 'AWAITING_DECISION', 'COMMITTING']
}
SET i.fence = i.fence + 1,
    i.attempt = i.attempt + 1,
    i.base_revision = CASE WHEN i.state = 'QUEUED' THEN head.id ELSE i.base_revision END,
    i.state = CASE WHEN i.state = 'QUEUED' THEN 'PREPARING' ELSE i.state END
RETURN i.fence AS fence, i.attempt AS attempt
