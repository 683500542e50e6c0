// purpose: write the properties of cases
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are maps with the case's id and properties, sorted by id.
UNWIND $rows AS row
MERGE (c:Case {graph_id: $graph_id, id: row.id})
SET c = row.properties, c.graph_id = $graph_id, c.id = row.id
RETURN count(c) AS written
