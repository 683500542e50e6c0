// purpose: put facts that were derived before back into a transaction that will be rolled back
// params: graph_id, rows
// returns: placed
// access: write
//
// Rows are [subject, type, object, fact id, round, world], sorted by subject and object; a world of null is every world.
UNWIND $rows AS row
MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
MATCH (b:Entity {graph_id: $graph_id, uid: row[2]})
CREATE (a)-[f:$(row[1])]->(b)
SET f = {fact_id: row[3], derived: true, round: row[4], world: row[5]}
RETURN count(f) AS placed
