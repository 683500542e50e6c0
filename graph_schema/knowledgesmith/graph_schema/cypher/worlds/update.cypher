// purpose: separate the world after an update from the world before: what is retracted, what is asserted
// params: graph_id, asserts, retracts
// returns: applied
// access: write
//
// Rows are [subject, type, object, fact id]. A retracted fact stays visible in world 0, an asserted one in world 1.
CALL () {
  UNWIND $retracts AS row
  MATCH (:Entity {graph_id: $graph_id, uid: row[0]})-[f]->(:Entity {uid: row[2]})
  WHERE type(f) = row[1] AND f.world IS NULL
  SET f.world = 0
  RETURN count(*) AS retracted
}
CALL () {
  UNWIND $asserts AS row
  MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
  MATCH (b:Entity {graph_id: $graph_id, uid: row[2]})
  CREATE (a)-[f:$(row[1])]->(b)
  SET f = {fact_id: row[3], graph_id: $graph_id, source: 'update', world: 1}
  RETURN count(*) AS asserted
}
RETURN retracted + asserted AS applied
