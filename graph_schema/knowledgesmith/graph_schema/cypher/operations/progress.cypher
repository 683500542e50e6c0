// purpose: note how far an operation is
// params: id, stage, done, total
// returns: id
// access: write
MATCH (o:Operation {id: $id})
SET o.stage = $stage, o.done = $done, o.total = $total, o.touched_ms = timestamp()
RETURN o.id AS id
