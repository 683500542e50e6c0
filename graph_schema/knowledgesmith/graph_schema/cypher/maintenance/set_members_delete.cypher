// purpose: take at most so many probes out of a probe set that is being deleted
// params: id, limit
// returns: deleted, probes
// access: write
//
// A probe that a plan or another probe set holds stays.
MATCH (p:Probe)-[member:MEMBER]->(s:ProbeSet {id: $id})
WHERE s.deleting_at IS NOT NULL
WITH member, p LIMIT $limit
DELETE member
WITH count(*) AS deleted, collect(DISTINCT p) AS touched
CALL (touched) {
  UNWIND touched AS p
  WITH p
  WHERE NOT EXISTS { (p)<-[:PLANNED]-() } AND NOT EXISTS { (p)-[:MEMBER]->() }
  DETACH DELETE p
  RETURN count(*) AS probes
}
RETURN deleted, probes
