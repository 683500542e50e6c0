// purpose: write one round of derived facts into a transaction that will be rolled back
// params: graph_id, world, round, rows
// returns: created
// access: write
//
// `rows` are [subject, type, object, fact id], sorted by subject and object. Their proofs stay with the caller: the more a
// fact carries, the more of the database's memory the transaction takes.
UNWIND $rows AS row
MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
MATCH (b:Entity {graph_id: $graph_id, uid: row[2]})
CREATE (a)-[f:$(row[1])]->(b)
SET f = {fact_id: row[3], derived: true, world: $world, round: $round}
RETURN count(f) AS created
