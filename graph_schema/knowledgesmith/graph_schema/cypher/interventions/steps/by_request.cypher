// purpose: the intervention that was created under a request id
// params: request_id
// returns: id, request_hash
// access: read
MATCH (i:Intervention {request_id: $request_id})
RETURN i.id AS id, i.request_hash AS request_hash
