// purpose: delete an intervention whose ledger and plan are gone, with its targets
// params: id
// returns: targets
// access: write
MATCH (i:Intervention {id: $id})
WHERE i.deleting_at IS NOT NULL AND NOT EXISTS { (i)-[:CHANGED|PLANNED]->() }
WITH i, COUNT { (i)-[:TARGETS]->() } AS targets
DETACH DELETE i
RETURN targets
