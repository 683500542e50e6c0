// purpose: what is there of revisions
// params: ids
// returns: id, artefact_sha256, weights_sha256, parents
// access: read
UNWIND $ids AS id
MATCH (r:Revision {id: id})
RETURN r.id AS id, coalesce(r.artefact_sha256, '') AS artefact_sha256, coalesce(r.weights_sha256, '') AS weights_sha256,
       COLLECT { MATCH (r)-[:PARENT]->(p:Revision) RETURN p.id ORDER BY p.id } AS parents
ORDER BY id
