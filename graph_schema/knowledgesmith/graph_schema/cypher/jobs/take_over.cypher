// purpose: end or decide an intervention from outside the worker: raise the fence and change the state in one step
// params: id, from_states, properties, finished
// returns: fence
// access: write
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 1
WITH i WHERE i.state IN $from_states
SET i += $properties, i.finished_at = CASE WHEN $finished THEN datetime() ELSE i.finished_at END
RETURN i.fence AS fence
