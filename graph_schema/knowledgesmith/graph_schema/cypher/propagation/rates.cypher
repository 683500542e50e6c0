// purpose: verdict counts by hop band, level and probe kind: what collateral change and residual retention are made of
// params: id
// returns: band, level, kind, rows, probes, propagated, missed, drifted, preserved, collateral, ineligible, no_old
// access: read
//
// A row's properties are one chain in the store: reading all at once walks it once, reading them by name each time.
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e)
WITH e, properties(c) AS c
RETURN CASE WHEN c.hops IS NULL THEN 'unreachable' WHEN c.hops > 3 THEN '4+' ELSE toString(c.hops) END AS band,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, c.kind AS kind,
       count(c) AS rows, sum(c.n) AS probes,
       sum(c.n_propagated) AS propagated, sum(c.n_missed) AS missed, sum(c.n_drifted) AS drifted,
       sum(c.n_preserved) AS preserved, sum(c.n_collateral) AS collateral, sum(c.n_ineligible) AS ineligible,
       sum(CASE WHEN c.before IS NULL THEN c.n_propagated + c.n_drifted ELSE 0 END) AS no_old
ORDER BY band, level, kind
