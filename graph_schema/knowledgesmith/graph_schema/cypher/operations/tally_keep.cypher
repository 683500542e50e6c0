// purpose: keep what an operation has taken away so far
// params: id, tally
// returns: id
// access: write
MATCH (o:Operation {id: $id})
SET o.tally = $tally
RETURN o.id AS id
