// purpose: the probes that one case brings with it, in the order of its source
// params: graph_id, id
// returns: properties
// access: read
MATCH (c:Case {graph_id: $graph_id, id: $id})-[:ASKS]->(p:CaseProbe)
WITH p
ORDER BY p.position
RETURN p {.*} AS properties
