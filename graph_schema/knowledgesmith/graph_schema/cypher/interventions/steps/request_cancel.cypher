// purpose: ask the worker to stop at the next safe point
// params: id
// returns: state
// access: write
MATCH (i:Intervention {id: $id})
WHERE i.state IN ['PREPARING', 'RUNNING']
SET i.cancel_requested = true
RETURN i.state AS state
