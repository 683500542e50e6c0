// purpose: slots of a finished intervention's plan that have no ledger row about the same entity
// params: id, limit
// returns: seq, found, expected
// access: read
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WITH i, planned.row_seq AS seq, min(p.anchor) AS expected
OPTIONAL MATCH (:Intervention)-[c:CHANGED {intervention: $id, seq: seq}]->(e:Entity)
WITH seq, expected, e.uid AS found
WHERE found IS NULL OR found <> expected
RETURN seq, coalesce(found, 'no row') AS found, expected
ORDER BY seq LIMIT $limit
