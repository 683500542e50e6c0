// purpose: how far an intervention spread, grouped by hops from the nearest target
// params: id
// returns: key, role, rows, entities, mean_before, mean_after, mean_delta, propagated, forgotten, missed, drifted, preserved, collateral, ineligible, installed, not_installed, erased, not_erased, old, kept, ended
// access: read
//
// A row's properties are one chain in the store: reading all at once walks it once, reading them by name each time.
// Rows of the verdicts' first scheme have no role: it did not tell targets from what follows, and stands as ''. Of the
// eligible probes of what follows, `old` had an old answer, `kept` give it still, and `ended` have no new one.
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e)
WITH e, properties(c) AS c
RETURN CASE WHEN c.hops IS NULL THEN 'unreachable' ELSE toString(c.hops) END AS key,
       coalesce(c.role, CASE c.polarity WHEN 'stay' THEN 'stays' ELSE '' END) AS role,
       count(c) AS rows, count(DISTINCT e) AS entities,
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
ORDER BY CASE role WHEN 'target' THEN 0 WHEN 'follows' THEN 1 WHEN '' THEN 2 ELSE 3 END, key
