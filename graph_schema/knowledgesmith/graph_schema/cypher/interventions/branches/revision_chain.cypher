// purpose: a revision that belongs to a branch's model, and its ancestors down to the base
// params: branch_id, revision_id
// returns: id, artefact_sha256, weights_sha256, depth
// access: read
MATCH (b:Branch {id: $branch_id})-[:OF]->(m:Model)-[:BASE]->(base:Revision)
MATCH (r:Revision {id: $revision_id})
MATCH path = (r)-[:PARENT*0..]->(a:Revision)
WITH base, path, a ORDER BY length(path)
WITH base, collect({id: a.id, artefact_sha256: a.artefact_sha256, weights_sha256: a.weights_sha256, depth: length(path)}) AS line
WHERE line[-1].id = base.id
UNWIND line AS step
RETURN step.id AS id, step.artefact_sha256 AS artefact_sha256, step.weights_sha256 AS weights_sha256, step.depth AS depth
ORDER BY depth
