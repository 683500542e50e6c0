// purpose: change state, phase and other properties of an intervention under its fence
// params: id, fence, from_states, properties, finished
// returns: id
// access: write
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i WHERE i.fence = $fence AND i.state IN $from_states
SET i += $properties, i.finished_at = CASE WHEN $finished THEN datetime() ELSE i.finished_at END
RETURN i.id AS id
