// purpose: one operation
// params: id
// returns: properties
// access: read
MATCH (o:Operation {id: $id})
RETURN o {.*} AS properties
