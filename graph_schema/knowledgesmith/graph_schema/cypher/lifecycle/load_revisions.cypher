// purpose: write revisions, whose ids tell their content; one that is there stays as it is
// params: rows
// returns: written
// access: write
//
// Rows are maps with the revision's properties and the id of its parent.
UNWIND $rows AS row
MERGE (r:Revision {id: row.properties.id})
ON CREATE SET r = row.properties
WITH row, r
CALL (row, r) {
  WITH row, r
  WHERE row.parent <> ''
  MERGE (p:Revision {id: row.parent})
  MERGE (r)-[:PARENT]->(p)
  RETURN count(p) AS parents
}
RETURN count(r) AS written
