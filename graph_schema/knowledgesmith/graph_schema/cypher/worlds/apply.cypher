// purpose: make a transaction's graph assert or no longer assert the facts of earlier interventions, in order
// params: graph_id, asserts, retracts
// returns: applied
// access: write
//
// Rows are [subject, type, object, fact id], the net effect of a branch's overlay: no fact is in both lists.
CALL () {
  UNWIND $retracts AS row
  MATCH (:Entity {graph_id: $graph_id, uid: row[0]})-[f]->(:Entity {uid: row[2]})
  WHERE type(f) = row[1]
  DELETE f
  RETURN count(*) AS retracted
}
CALL () {
  UNWIND $asserts AS row
  MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
  MATCH (b:Entity {graph_id: $graph_id, uid: row[2]})
  WHERE NOT EXISTS { (a)-[f]->(b) WHERE type(f) = row[1] }
  CREATE (a)-[f:$(row[1])]->(b)
  SET f = {fact_id: row[3], graph_id: $graph_id, source: 'overlay'}
  RETURN count(*) AS asserted
}
RETURN retracted + asserted AS applied
