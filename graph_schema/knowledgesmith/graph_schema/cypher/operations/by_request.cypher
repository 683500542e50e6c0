// purpose: the operation that a request began
// params: request_id
// returns: id, body_digest
// access: read
MATCH (o:Operation {request_id: $request_id})
RETURN o.id AS id, o.body_digest AS body_digest
