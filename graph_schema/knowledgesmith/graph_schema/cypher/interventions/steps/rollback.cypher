// purpose: move the head of a branch that nothing holds back to its parent and mark the intervention that made it
// params: branch_id, head_revision, request_id
// returns: revision_id, weights_sha256, intervention_id, graph_id
// access: write
//
// A request that was served already moves nothing: of two that come at once, the second waits here for the branch.
MATCH (b:Branch {id: $branch_id})
SET b.commits = coalesce(b.commits, 0) + 1
WITH b
WHERE NOT EXISTS {
  MATCH (b)<-[:ON]-(other:Intervention)
  WHERE other.state IN ['PREPARING', 'RUNNING', 'AWAITING_DECISION', 'COMMITTING'] OR other.rollback_request = $request_id
}
MATCH (b)-[old:HEAD]->(r:Revision {id: $head_revision})-[:PARENT]->(parent:Revision)
MATCH (b)<-[:ON]-(i:Intervention {state: 'SUCCEEDED'})-[:PRODUCED]->(r)
WHERE i.rolled_back_at IS NULL
DELETE old
CREATE (b)-[:HEAD]->(parent)
SET i.rolled_back_at = datetime(), i.rollback_request = $request_id
RETURN parent.id AS revision_id, parent.weights_sha256 AS weights_sha256, i.id AS intervention_id, b.graph_id AS graph_id
