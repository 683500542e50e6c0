// purpose: verdict counts of placebos by role, of all their rows or of one entity, relation or kind: noise beside rates
// params: ids, entity, relation, kind
// returns: intervention, role, propagated, forgotten, missed, drifted, preserved, collateral, ineligible, installed, not_installed, erased, not_erased, old, kept, ended
// access: read
//
// An empty entity, relation or kind admits every one. The sums are those of `over_time.cypher`.
UNWIND $ids AS id
MATCH (i:Intervention {id: id})-[c:CHANGED]->(e:Entity)
WHERE ($entity = '' OR e.uid = $entity) AND ($relation = '' OR c.relation = $relation) AND ($kind = '' OR c.kind = $kind)
WITH i.id AS intervention, properties(c) AS c
RETURN intervention, coalesce(c.role, CASE c.polarity WHEN 'stay' THEN 'stays' ELSE '' END) AS role,
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
ORDER BY intervention, role
