// purpose: write revisions, whose ids tell their content; one that is there stays as it is, and is not counted if it differs
// params: rows
// returns: written
// access: write
//
// Rows are maps with the revision's properties; `load_parents` links them.
UNWIND $rows AS row
MERGE (r:Revision {id: row.properties.id})
ON CREATE SET r = row.properties
WITH r, row
WHERE r.artefact_sha256 = row.properties.artefact_sha256 AND r.weights_sha256 = row.properties.weights_sha256
RETURN count(r) AS written
