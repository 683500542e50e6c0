// purpose: move the branch head to the revision that an intervention made, all or nothing, under its fence
// params: id, fence, revision_id, artefact_sha256, weights_sha256
// returns: revision_id
// access: write
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i WHERE i.fence = $fence AND i.state = 'COMMITTING'
MATCH (i)-[:ON]->(b:Branch)
SET b.commits = coalesce(b.commits, 0) + 1
WITH i, b
MATCH (b)-[old:HEAD]->(parent:Revision {id: i.base_revision})
MERGE (r:Revision {id: $revision_id})
ON CREATE SET r.artefact_sha256 = $artefact_sha256, r.weights_sha256 = $weights_sha256, r.created_at = datetime()
MERGE (r)-[:PARENT]->(parent)
MERGE (i)-[:PRODUCED]->(r)
DELETE old
CREATE (b)-[:HEAD]->(r)
SET i.state = 'SUCCEEDED', i.phase = '', i.revision_id = r.id, i.commit_order = b.commits, i.finished_at = datetime()
RETURN r.id AS revision_id
