// purpose: beliefs about one entity over the committed interventions of a branch in order
// params: branch_id, entity, relation, kind, after, limit
// returns: position, intervention, goal, method, scheme, wrecked, role, rows, mean_before, mean_after, mean_delta, propagated, forgotten, missed, drifted, preserved, collateral, ineligible, installed, not_installed, erased, not_erased, old, kept, ended
// access: read
//
// A page holds the first `limit` of them after a position. It starts from the entity. Interventions that measured nothing about it stand with no rows.
// Rows of the verdicts' first scheme have no role: it did not tell targets from what follows, and stands as ''. Of the
// eligible probes of what follows, `old` had an old answer, `kept` give it still, and `ended` have no new one.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i:Intervention {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL AND i.commit_order > $after
WITH b, i ORDER BY i.commit_order LIMIT $limit
OPTIONAL MATCH (e:Entity {graph_id: b.graph_id, uid: $entity})<-[c:CHANGED]-(i)
WHERE ($relation = '' OR c.relation = $relation) AND ($kind = '' OR c.kind = $kind)
RETURN i.commit_order AS position, i.id AS intervention, i.goal AS goal, i.method AS method,
       coalesce(i.verdict_scheme, 1) AS scheme, coalesce(NOT i.health_ok, false) AS wrecked,
       coalesce(c.role, CASE c.polarity WHEN 'stay' THEN 'stays' ELSE '' END) AS role,
       count(c) AS rows,
       avg(c.before) AS mean_before, avg(c.after) AS mean_after, avg(c.delta) AS mean_delta,
       sum(c.n_propagated) AS propagated, sum(coalesce(c.n_forgotten, 0)) AS forgotten,
       sum(c.n_missed) AS missed, sum(c.n_drifted) AS drifted, sum(c.n_preserved) AS preserved,
       sum(c.n_collateral) AS collateral, sum(c.n_ineligible) AS ineligible,
       sum(coalesce(c.n_installed, 0)) AS installed, sum(coalesce(c.n_not_installed, 0)) AS not_installed,
       sum(coalesce(c.n_erased, 0)) AS erased, sum(coalesce(c.n_not_erased, 0)) AS not_erased,
       sum(CASE WHEN c.before IS NULL THEN 0
           ELSE c.n_propagated + coalesce(c.n_forgotten, 0) + c.n_missed + c.n_drifted END) AS old,
       sum(CASE WHEN c.before IS NULL THEN 0 ELSE c.n_missed END) AS kept,
       sum(CASE WHEN c.role IS NOT NULL AND c.new_before IS NULL
           THEN coalesce(c.n_forgotten, 0) + c.n_missed ELSE 0 END) AS ended
ORDER BY position, CASE role WHEN 'target' THEN 0 WHEN 'follows' THEN 1 WHEN '' THEN 2 ELSE 3 END
