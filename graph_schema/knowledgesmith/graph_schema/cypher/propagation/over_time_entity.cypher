// purpose: beliefs about one entity over the committed interventions of a branch in order
// params: branch_id, entity, relation, kind
// returns: position, intervention, goal, method, rows, mean_before, mean_after, mean_delta, propagated, missed, drifted, preserved, collateral, ineligible, no_old
// access: read
//
// It starts from the entity. Interventions that measured nothing about it stand with no rows.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i:Intervention {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL
OPTIONAL MATCH (e:Entity {graph_id: b.graph_id, uid: $entity})<-[c:CHANGED]-(i)
WHERE ($relation = '' OR c.relation = $relation) AND ($kind = '' OR c.kind = $kind)
RETURN i.commit_order AS position, i.id AS intervention, i.goal AS goal, i.method AS method, count(c) AS rows,
       avg(c.before) AS mean_before, avg(c.after) AS mean_after, avg(c.delta) AS mean_delta,
       sum(c.n_propagated) AS propagated, sum(c.n_missed) AS missed, sum(c.n_drifted) AS drifted,
       sum(c.n_preserved) AS preserved, sum(c.n_collateral) AS collateral, sum(c.n_ineligible) AS ineligible,
       sum(CASE WHEN c.before IS NULL THEN c.n_propagated + c.n_drifted ELSE 0 END) AS no_old
ORDER BY position
