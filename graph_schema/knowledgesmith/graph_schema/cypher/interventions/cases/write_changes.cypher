// purpose: link cases to the subjects of their changes, where the graph has them
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are [case id, subject uid, properties], sorted by case and subject.
UNWIND $rows AS row
MATCH (c:Case {graph_id: $graph_id, id: row[0]})
MATCH (e:Entity {graph_id: $graph_id, uid: row[1]})
CREATE (c)-[change:CHANGES]->(e)
SET change = row[2]
RETURN count(change) AS written
