// purpose: begin to work on an operation that has not ended; its attempts, and those that crashed at the same stage
// params: id
// returns: attempt, crashes
// access: write
MATCH (o:Operation {id: $id})
WHERE o.state = 'RUNNING'
SET o.attempt = o.attempt + 1, o.held = true, o.touched_ms = timestamp()
RETURN o.attempt AS attempt, o.crashes AS crashes
