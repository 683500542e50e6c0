// purpose: write the probes that cases bring with them
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are [case id, list of properties], sorted by case; the properties by position.
UNWIND $rows AS row
MATCH (c:Case {graph_id: $graph_id, id: row[0]})
UNWIND row[1] AS properties
CREATE (c)-[:ASKS]->(p:CaseProbe)
SET p = properties
RETURN count(p) AS written
