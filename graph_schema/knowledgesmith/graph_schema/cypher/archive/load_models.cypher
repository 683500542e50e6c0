// purpose: write models with their base revisions; a model of the same weights that is there stays as it is
// params: rows
// returns: written
// access: write
//
// Rows are maps with the model's properties and the id of its base.
UNWIND $rows AS row
MERGE (m:Model {id: row.properties.id})
ON CREATE SET m = row.properties
WITH m, row
WHERE m.weights_sha256 = row.properties.weights_sha256
MERGE (r:Revision {id: row.base})
ON CREATE SET r.artefact_sha256 = '', r.weights_sha256 = m.weights_sha256, r.created_at = m.created_at
WITH m, r
WHERE r.weights_sha256 = m.weights_sha256 AND NOT EXISTS { (r)-[:PARENT]->() }
MERGE (m)-[:BASE]->(r)
RETURN count(m) AS written
