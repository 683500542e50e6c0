// purpose: what the committed interventions of a branch assert and retract, in commit order
// params: branch_id
// returns: id, overlay
// access: read
//
// Without its label an intervention cannot be sought by its state, so the search always starts at the branch.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL
RETURN i.id AS id, i.overlay AS overlay
ORDER BY i.commit_order
