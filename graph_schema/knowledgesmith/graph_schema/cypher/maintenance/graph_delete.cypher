// purpose: delete what is left of a graph: its catalogue, its versions and itself
// params: graph_id
// returns: relations, versions
// access: write
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.deleting_at IS NOT NULL
  AND NOT EXISTS { (:Entity {graph_id: $graph_id}) }
  AND NOT EXISTS { (:Branch {graph_id: $graph_id}) }
CALL (g) {
  MATCH (r:Relation {graph_id: $graph_id})
  WHERE r.name IS NOT NULL
  DETACH DELETE r
  RETURN count(*) AS relations
}
CALL (g) {
  MATCH (v:GraphVersion)-[:OF]->(g)
  DETACH DELETE v
  RETURN count(*) AS versions
}
DETACH DELETE g
RETURN relations, versions
