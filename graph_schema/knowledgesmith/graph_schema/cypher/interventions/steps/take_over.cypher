// purpose: end or decide an intervention: raise the fence and change the state in one step, or leave both as they are
// params: id, fence, from_states, properties, finished
// returns: fence
// access: write
//
// A null fence stands for a decision from outside the worker; the first SET takes the lock, so that the state is fresh.
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i WHERE i.state IN $from_states AND ($fence IS NULL OR i.fence = $fence)
SET i += $properties, i.fence = i.fence + 1,
    i.finished_at = CASE WHEN $finished THEN datetime() ELSE i.finished_at END
RETURN i.fence AS fence
