// purpose: delete those of given probes that neither a plan nor a probe set holds
// params: ids
// returns: deleted
// access: write
UNWIND $ids AS id
MATCH (p:Probe {id: id})
WHERE NOT EXISTS { (p)<-[:PLANNED]-() } AND NOT EXISTS { (p)-[:MEMBER]->() }
DETACH DELETE p
RETURN count(*) AS deleted
