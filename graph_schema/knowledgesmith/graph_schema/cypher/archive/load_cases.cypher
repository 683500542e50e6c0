// purpose: write ready interventions of benchmarks with their links and probes
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are maps with the case's properties, its changes [uid, properties] and its probes.
UNWIND $rows AS row
CREATE (c:Case)
SET c = row.properties
WITH c, row
CALL (c, row) {
  UNWIND row.changes AS change
  MATCH (e:Entity {graph_id: $graph_id, uid: change[0]})
  USING INDEX e:Entity(graph_id, uid)
  CREATE (c)-[link:CHANGES]->(e)
  SET link = change[1]
  RETURN count(link) AS changes
}
CALL (c, row) {
  UNWIND row.probes AS properties
  CREATE (c)-[:ASKS]->(p:CaseProbe)
  SET p = properties
  RETURN count(p) AS probes
}
RETURN count(c) AS written
