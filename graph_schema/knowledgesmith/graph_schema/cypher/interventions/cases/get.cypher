// purpose: one case
// params: graph_id, id
// returns: properties
// access: read
MATCH (c:Case {graph_id: $graph_id, id: $id})
RETURN c {.*} AS properties
