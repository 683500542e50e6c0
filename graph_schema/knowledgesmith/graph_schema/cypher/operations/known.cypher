// purpose: which of these operations there are
// params: ids
// returns: id
// access: read
UNWIND $ids AS id
MATCH (o:Operation {id: id})
RETURN o.id AS id
