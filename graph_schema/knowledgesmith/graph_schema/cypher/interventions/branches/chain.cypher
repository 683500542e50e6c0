// purpose: revisions from a branch's head down to the base, head first
// params: branch_id
// returns: id, artefact_sha256, weights_sha256, depth, parent, intervention_id, created_ms
// access: read
MATCH (b:Branch {id: $branch_id})-[:HEAD]->(head:Revision)
MATCH path = (head)-[:PARENT*0..]->(r:Revision)
OPTIONAL MATCH (r)-[:PARENT]->(p:Revision)
OPTIONAL MATCH (r)<-[:PRODUCED]-(i:Intervention {branch_id: b.id}) WHERE i.rolled_back_at IS NULL
RETURN r.id AS id, r.artefact_sha256 AS artefact_sha256, r.weights_sha256 AS weights_sha256, length(path) AS depth,
       coalesce(p.id, '') AS parent, coalesce(max(i.id), '') AS intervention_id,
       r.created_at.epochMillis AS created_ms
ORDER BY depth
