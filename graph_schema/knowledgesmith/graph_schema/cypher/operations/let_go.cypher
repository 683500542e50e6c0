// purpose: stop working on an operation that has not ended, in good order: the next start takes it up
// params: id
// returns: id
// access: write
MATCH (o:Operation {id: $id})
WHERE o.state = 'RUNNING'
SET o.held = false, o.crashes = 0, o.crash_stages = []
RETURN o.id AS id
