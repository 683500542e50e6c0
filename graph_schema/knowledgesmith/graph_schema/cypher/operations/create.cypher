// purpose: note an operation that begins, or find the one that the same request began
// params: request_id, properties
// returns: id, body_digest
// access: write
MERGE (o:Operation {request_id: $request_id})
ON CREATE SET o += $properties, o.created_ms = timestamp(), o.touched_ms = timestamp()
RETURN o.id AS id, o.body_digest AS body_digest
