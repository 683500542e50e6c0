// purpose: what is stored of given cases: digest, mark of the import that wrote them, and whether an entity was missing
// params: graph_id, ids
// returns: id, digest, stamp, incomplete
// access: read
UNWIND $ids AS id
MATCH (c:Case {graph_id: $graph_id, id: id})
RETURN c.id AS id, c.digest AS digest, c.stamp AS stamp, size(c.missing) > 0 AS incomplete
