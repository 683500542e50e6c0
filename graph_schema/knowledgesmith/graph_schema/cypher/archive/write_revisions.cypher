// purpose: the revisions that the branches and interventions of a graph stand on, down to the bases
// params: graph_id
// returns: properties, parent
// access: read
MATCH (b:Branch {graph_id: $graph_id})
CALL (b) {
  MATCH (b)-[:HEAD]->(tip:Revision)
  RETURN tip
  UNION
  MATCH (b)<-[:ON]-(:Intervention)-[:PRODUCED]->(tip:Revision)
  RETURN tip
}
WITH DISTINCT tip
MATCH (tip)-[:PARENT*0..10000]->(r:Revision)
WITH DISTINCT r
OPTIONAL MATCH (r)-[:PARENT]->(p:Revision)
WITH r, coalesce(min(p.id), '') AS parent
RETURN r {.*, checked_at: null} AS properties, parent
ORDER BY properties.id
