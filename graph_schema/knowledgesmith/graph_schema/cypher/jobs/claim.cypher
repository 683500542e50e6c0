// purpose: begin an attempt: raise the fence, so that every older attempt is locked out
// params: id, from_states
// returns: fence, attempt
// access: write
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 1
WITH i WHERE i.state IN $from_states
MATCH (i)-[:ON]->(:Branch)-[:HEAD]->(head:Revision)
SET i.attempt = i.attempt + 1,
    i.base_revision = CASE WHEN i.state = 'QUEUED' THEN head.id ELSE i.base_revision END,
    i.state = CASE WHEN i.state = 'QUEUED' THEN 'PREPARING' ELSE i.state END
RETURN i.fence AS fence, i.attempt AS attempt
