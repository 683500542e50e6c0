// purpose: delete a revision that no head, intervention, model or later revision needs
// params: id
// returns: parent, artefact_sha256
// access: write
MATCH (r:Revision {id: $id})
SET r.checked_at = datetime()
WITH r
WHERE NOT EXISTS { (r)<-[:HEAD|PRODUCED|PARENT|BASE]-() }
OPTIONAL MATCH (r)-[:PARENT]->(p:Revision)
WITH r, coalesce(r.artefact_sha256, '') AS artefact_sha256, coalesce(min(p.id), '') AS parent
DETACH DELETE r
RETURN parent, artefact_sha256
