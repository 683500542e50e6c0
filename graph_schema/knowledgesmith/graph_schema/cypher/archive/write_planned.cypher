// purpose: the places of probes in the plan of one intervention after a position, in order
// params: id, after, limit
// returns: probe, properties
// access: read
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WHERE planned.position > $after
WITH planned, p ORDER BY planned.position LIMIT $limit
RETURN p.id AS probe, planned {.*} AS properties
ORDER BY properties.position
