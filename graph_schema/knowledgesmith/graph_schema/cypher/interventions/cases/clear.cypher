// purpose: empty the given cases: their own probes and their links to entities go, the cases stay
// params: graph_id, ids
// returns: cleared
// access: write
UNWIND $ids AS id
MATCH (c:Case {graph_id: $graph_id, id: id})
CALL (c) {
  MATCH (c)-[change:CHANGES]->()
  DELETE change
}
CALL (c) {
  MATCH (c)-[:ASKS]->(p:CaseProbe)
  DETACH DELETE p
}
RETURN count(c) AS cleared
