// purpose: the entities that the committed interventions of a branch inserted, in commit order
// params: branch_id
// returns: inserted
// access: read
//
// A placebo makes no change: what its plan would insert is not there.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i:Intervention {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL AND i.inserted IS NOT NULL AND i.method <> 'placebo'
RETURN i.inserted AS inserted
ORDER BY i.commit_order
