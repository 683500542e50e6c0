// purpose: write models with their base revisions; a model of the same weights that is there stays as it is
// params: rows
// returns: written
// access: write
//
// Rows are maps with the model's properties and the id of its base.
UNWIND $rows AS row
MERGE (m:Model {id: row.properties.id})
ON CREATE SET m = row.properties
MERGE (r:Revision {id: row.base})
ON CREATE SET r.artefact_sha256 = '', r.weights_sha256 = m.weights_sha256, r.created_at = m.created_at
MERGE (m)-[:BASE]->(r)
RETURN count(m) AS written
