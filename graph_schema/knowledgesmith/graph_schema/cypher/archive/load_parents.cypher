// purpose: link revisions to their parents; one that has another parent is not counted and stays as it is
// params: rows
// returns: written
// access: write
//
// Rows are [id, id of the parent]; the loader has checked that the first is the hash of the second.
UNWIND $rows AS row
MATCH (r:Revision {id: row[0]})
MATCH (p:Revision {id: row[1]})
WHERE NOT EXISTS { MATCH (r)-[:PARENT]->(other:Revision) WHERE other.id <> row[1] }
MERGE (r)-[:PARENT]->(p)
RETURN count(r) AS written
