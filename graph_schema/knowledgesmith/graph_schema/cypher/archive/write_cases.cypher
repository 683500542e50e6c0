// purpose: a page of the ready interventions of benchmarks in a graph, with their links and probes
// params: graph_id, after, limit
// returns: properties, changes, probes
// access: read
MATCH (c:Case {graph_id: $graph_id})
WHERE c.id > $after
WITH c ORDER BY c.id LIMIT $limit
CALL (c) {
  MATCH (c)-[change:CHANGES]->(e:Entity)
  WITH change, e ORDER BY e.uid, change.position
  RETURN collect([e.uid, change {.*}]) AS changes
}
CALL (c) {
  MATCH (c)-[:ASKS]->(p:CaseProbe)
  WITH p ORDER BY p.position
  RETURN collect(p {.*}) AS probes
}
RETURN c {.*} AS properties, changes, probes
ORDER BY properties.id
