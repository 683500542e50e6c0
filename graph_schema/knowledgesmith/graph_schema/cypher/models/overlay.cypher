// purpose: what the committed interventions of a branch assert and retract, in commit order
// params: branch_id
// returns: id, overlay
// access: read
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i:Intervention {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL
RETURN i.id AS id, i.overlay AS overlay
ORDER BY i.commit_order
