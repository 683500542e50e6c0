// purpose: begin to work on an operation that has not ended; its attempts, and those that nobody ended in good order
// params: id
// returns: attempt, crashes
// access: write
MATCH (o:Operation {id: $id})
WHERE o.state = 'RUNNING'
SET o.attempt = o.attempt + 1, o.crashes = o.crashes + CASE WHEN o.held THEN 1 ELSE 0 END, o.held = true,
    o.touched_ms = timestamp()
RETURN o.attempt AS attempt, o.crashes AS crashes
