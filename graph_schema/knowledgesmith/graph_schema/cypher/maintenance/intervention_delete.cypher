// purpose: delete an intervention whose ledger and plan are gone, with its targets and the entities only it inserted
// params: id, inserted
// returns: targets, entities
// access: write
//
// `inserted` are uids. An entity that anything else names stays: another run's ledger or plan, a probe, a fact.
MATCH (i:Intervention {id: $id})
WHERE i.deleting_at IS NOT NULL AND NOT EXISTS { (i)-[:CHANGED|PLANNED]->() }
WITH i, i.graph_id AS graph_id, COUNT { (i)-[:TARGETS]->() } AS targets
DETACH DELETE i
WITH graph_id, targets
CALL (graph_id) {
  UNWIND $inserted AS uid
  MATCH (e:Entity {graph_id: graph_id, uid: uid})
  USING INDEX e:Entity(graph_id, uid)
  SET e.retired = e.retired
  WITH e
  WHERE e.retired AND NOT EXISTS { (e)--() }
  DELETE e
  RETURN count(e) AS entities
}
RETURN targets, entities
