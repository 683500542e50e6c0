// purpose: of which of these operations somebody has asked for the end
// params: ids
// returns: id
// access: read
UNWIND $ids AS id
MATCH (o:Operation {id: id})
WHERE o.cancel_requested
RETURN o.id AS id
