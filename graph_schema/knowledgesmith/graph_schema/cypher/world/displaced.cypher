// purpose: facts that cannot hold beside new ones, since a relation is functional or inverse-functional
// params: graph_id, world, rows
// returns: position, rule, subject, object
// access: read
//
// Rows are [position, subject, type, object, functional, inverse functional].
UNWIND $rows AS row
CALL (row) {
  WITH row
  WHERE row[4]
  MATCH (a:Entity {graph_id: $graph_id, uid: row[1]})-[f]->(b:Entity)
  WHERE type(f) = row[2] AND b.uid <> row[3] AND (f.world IS NULL OR f.world = $world)
  RETURN 'functional' AS rule, a.uid AS subject, b.uid AS object
  UNION
  WITH row
  WHERE row[5]
  MATCH (b:Entity {graph_id: $graph_id, uid: row[3]})<-[f]-(a:Entity)
  WHERE type(f) = row[2] AND a.uid <> row[1] AND (f.world IS NULL OR f.world = $world)
  RETURN 'inverse_functional' AS rule, a.uid AS subject, b.uid AS object
}
RETURN row[0] AS position, rule, subject, object
ORDER BY position, rule, subject, object
