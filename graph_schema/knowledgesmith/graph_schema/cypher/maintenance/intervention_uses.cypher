// purpose: what an intervention is part of: its state, whether it is committed, and what was committed after it
// params: id
// returns: state, graph_id, branch_id, artefact_sha256, revision_id, committed, later, inserted
// access: read
MATCH (i:Intervention {id: $id})
OPTIONAL MATCH (later:Intervention {branch_id: i.branch_id, state: 'SUCCEEDED'})
WHERE later.rolled_back_at IS NULL AND later.commit_order > i.commit_order
WITH i, later ORDER BY later.commit_order DESC
RETURN i.state AS state, i.graph_id AS graph_id, i.branch_id AS branch_id,
       coalesce(i.artefact_sha256, '') AS artefact_sha256, coalesce(i.revision_id, '') AS revision_id,
       i.state = 'SUCCEEDED' AND i.rolled_back_at IS NULL AS committed, collect(later.id) AS later, i.inserted AS inserted
