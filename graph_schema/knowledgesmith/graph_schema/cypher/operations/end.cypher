// purpose: end an operation with its result or its error; one that has ended stays as it is
// params: id, state, properties
// returns: state
// access: write
MATCH (o:Operation {id: $id})
SET o.held = false
WITH o, o.state = 'RUNNING' AS open
SET o += CASE WHEN open THEN $properties ELSE {} END,
    o.finished_ms = CASE WHEN open THEN timestamp() ELSE o.finished_ms END,
    o.state = CASE WHEN open THEN $state ELSE o.state END
RETURN o.state AS state
