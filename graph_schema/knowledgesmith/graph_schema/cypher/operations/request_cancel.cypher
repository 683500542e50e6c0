// purpose: note that somebody asked for the end of an operation; one that has ended stays as it is
// params: id
// returns: state
// access: write
MATCH (o:Operation {id: $id})
SET o.cancel_requested = CASE WHEN o.state = 'RUNNING' THEN true ELSE o.cancel_requested END
RETURN o.state AS state
