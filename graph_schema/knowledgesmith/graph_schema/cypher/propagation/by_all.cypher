// purpose: how far an intervention spread, grouped by nothing: one row for the whole run
// params: id
// returns: key, rows, entities, mean_before, mean_after, mean_delta, propagated, missed, drifted, preserved, collateral, ineligible, no_old
// access: read
//
// A row's properties are one chain in the store: reading all at once walks it once, reading them by name each time.
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e)
WITH e, properties(c) AS c
RETURN 'all' AS key,
       count(c) AS rows, count(DISTINCT e) AS entities,
       avg(c.before) AS mean_before, avg(c.after) AS mean_after, avg(c.delta) AS mean_delta,
       sum(c.n_propagated) AS propagated, sum(c.n_missed) AS missed, sum(c.n_drifted) AS drifted,
       sum(c.n_preserved) AS preserved, sum(c.n_collateral) AS collateral, sum(c.n_ineligible) AS ineligible,
       sum(CASE WHEN c.before IS NULL THEN c.n_propagated + c.n_drifted ELSE 0 END) AS no_old
ORDER BY key
