// purpose: beliefs over the committed interventions of a branch in order, of all its rows or of one relation or kind
// params: branch_id, relation, kind
// returns: position, intervention, goal, method, rows, mean_before, mean_after, mean_delta, propagated, missed, drifted, preserved, collateral, ineligible, no_old
// access: read
//
// An empty relation or kind admits every one. A row's properties are one chain in the store: reading all at once walks
// it once, reading them by name each time.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i:Intervention {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL
CALL (i) {
  MATCH (i)-[c:CHANGED]->()
  WHERE ($relation = '' OR c.relation = $relation) AND ($kind = '' OR c.kind = $kind)
  WITH properties(c) AS c
  RETURN count(c) AS rows, avg(c.before) AS mean_before, avg(c.after) AS mean_after, avg(c.delta) AS mean_delta,
         sum(c.n_propagated) AS propagated, sum(c.n_missed) AS missed, sum(c.n_drifted) AS drifted,
         sum(c.n_preserved) AS preserved, sum(c.n_collateral) AS collateral, sum(c.n_ineligible) AS ineligible,
         sum(CASE WHEN c.before IS NULL THEN c.n_propagated + c.n_drifted ELSE 0 END) AS no_old
}
RETURN i.commit_order AS position, i.id AS intervention, i.goal AS goal, i.method AS method, rows,
       mean_before, mean_after, mean_delta, propagated, missed, drifted, preserved, collateral, ineligible, no_old
ORDER BY position
