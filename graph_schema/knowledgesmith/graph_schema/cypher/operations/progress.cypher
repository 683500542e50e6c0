// purpose: note how far an operation is, and learn whether somebody has asked for its end
// params: id, stage, done, total
// returns: cancel_requested
// access: write
MATCH (o:Operation {id: $id})
SET o.stage = $stage, o.done = $done, o.total = $total, o.touched_ms = timestamp()
RETURN o.cancel_requested AS cancel_requested
