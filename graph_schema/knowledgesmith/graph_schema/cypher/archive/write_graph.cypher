// purpose: a graph, its catalogue and its versions with all their properties
// params: graph_id
// returns: graph, relations, versions
// access: read
MATCH (g:Graph {graph_id: $graph_id})
CALL (g) {
  MATCH (r:Relation {graph_id: g.graph_id})
  WHERE r.name IS NOT NULL
  WITH r ORDER BY r.name
  RETURN collect(r {.*, inverse_of: r.inverse_of}) AS relations
}
CALL (g) {
  MATCH (v:GraphVersion)-[:OF]->(g)
  WITH v ORDER BY v.number
  RETURN collect(v {.*}) AS versions
}
RETURN g {.*} AS graph, relations, versions
