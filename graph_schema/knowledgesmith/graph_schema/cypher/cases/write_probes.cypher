// purpose: write the probes that cases bring with them
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are [case id, properties], sorted by case and position.
UNWIND $rows AS row
MATCH (c:Case {graph_id: $graph_id, id: row[0]})
CREATE (c)-[:ASKS]->(p:CaseProbe)
SET p = row[1]
RETURN count(p) AS written
