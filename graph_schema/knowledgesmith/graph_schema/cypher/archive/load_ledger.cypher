// purpose: write ledger rows
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are [intervention, uid, properties].
UNWIND $rows AS row
MATCH (i:Intervention {id: row[0], graph_id: $graph_id})
MATCH (e:Entity {graph_id: $graph_id, uid: row[1]})
USING INDEX e:Entity(graph_id, uid)
CREATE (i)-[c:CHANGED]->(e)
SET c = row[2]
RETURN count(c) AS written
