// purpose: take at most so many probes from the plan of an intervention that is being deleted
// params: id, limit
// returns: deleted, probes
// access: write
//
// A probe that another plan or a probe set holds stays.
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WHERE i.deleting_at IS NOT NULL
WITH planned, p LIMIT $limit
DELETE planned
WITH count(*) AS deleted, collect(DISTINCT p) AS touched
CALL (touched) {
  UNWIND touched AS p
  WITH p
  WHERE NOT EXISTS { (p)<-[:PLANNED]-() } AND NOT EXISTS { (p)-[:MEMBER]->() }
  DETACH DELETE p
  RETURN count(*) AS probes
}
RETURN deleted, probes
