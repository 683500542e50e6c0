// purpose: the planned probes of an intervention after a position, in order
// params: id, after, limit
// returns: position, probe, planned
// access: read
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WHERE planned.position > $after
WITH planned, p
ORDER BY planned.position
LIMIT $limit
RETURN planned.position AS position, properties(p) AS probe, properties(planned) AS planned
ORDER BY position
