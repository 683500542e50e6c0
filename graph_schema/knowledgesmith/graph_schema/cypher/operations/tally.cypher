// purpose: what an operation has taken away so far
// params: id
// returns: tally
// access: read
MATCH (o:Operation {id: $id})
RETURN coalesce(o.tally, '[{}, {}]') AS tally
