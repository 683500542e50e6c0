// purpose: interventions on the branches of a graph with their targets and what they produced
// params: graph_id, after, limit
// returns: properties, targets, produced
// access: read
//
// No label stands on the interventions: an index of theirs would lead through those of all graphs.
MATCH (b:Branch {graph_id: $graph_id})<-[:ON]-(i)
USING INDEX b:Branch(graph_id)
WHERE i.id > $after
WITH i ORDER BY i.id LIMIT $limit
CALL (i) {
  MATCH (i)-[t:TARGETS]->(e:Entity)
  WITH t, e ORDER BY t.position, e.uid
  RETURN collect([e.uid, t {.*}]) AS targets
}
OPTIONAL MATCH (i)-[:PRODUCED]->(r:Revision)
WITH i, targets, min(r.id) AS produced
RETURN i {.*} AS properties, targets, produced
ORDER BY properties.id
