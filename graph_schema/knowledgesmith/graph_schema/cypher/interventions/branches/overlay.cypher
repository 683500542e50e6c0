// purpose: what the committed interventions of a branch assert and retract, in commit order
// params: branch_id
// returns: id, overlay
// access: read
//
// A placebo is planned like any change and makes none, so the world stays as it is when one is committed.
// Without its label an intervention cannot be sought by its state, so the search always starts at the branch.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL AND i.method <> 'placebo'
RETURN i.id AS id, i.overlay AS overlay
ORDER BY i.commit_order
