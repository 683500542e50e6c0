// purpose: write interventions with their targets
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are maps with the intervention's properties, its targets [uid, properties] and the revision it produced.
UNWIND $rows AS row
MATCH (b:Branch {id: row.properties.branch_id, graph_id: $graph_id})
CREATE (i:Intervention)
SET i = row.properties
CREATE (i)-[:ON]->(b)
WITH i, row
CALL (i, row) {
  UNWIND row.targets AS target
  MATCH (e:Entity {graph_id: $graph_id, uid: target[0]})
  USING INDEX e:Entity(graph_id, uid)
  CREATE (i)-[t:TARGETS]->(e)
  SET t = target[1]
  RETURN count(t) AS targets
}
WITH i, row, targets
WHERE targets = size(row.targets)
CALL (i, row) {
  MATCH (r:Revision {id: row.produced})
  CREATE (i)-[:PRODUCED]->(r)
  RETURN count(r) AS produced
}
RETURN count(i) AS written
