// purpose: write branches
// params: rows
// returns: written
// access: write
//
// Rows are maps with the branch's properties, its model and its head.
UNWIND $rows AS row
MATCH (m:Model {id: row.model})
MATCH (head:Revision {id: row.head})
CREATE (b:Branch)
SET b = row.properties
CREATE (b)-[:OF]->(m)
CREATE (b)-[:HEAD]->(head)
RETURN count(b) AS written
