// purpose: what a uniform guesser would keep and lose by hop band, level and probe kind: the chance levels of the rates
// params: id
// returns: band, level, kind, kept, lost
// access: read
//
// Over the eligible probes: `kept` sums the share of options that are the old answer where the answer should change,
// `lost` that of all others where it should stay.
MATCH (i:Intervention {id: $id})-[q:PLANNED]->(p:Probe)
WHERE q.verdict <> 'INELIGIBLE'
MATCH (p)-[:ABOUT]->(e)
WITH q, p, e, q.polarity = 'change' AS change
WITH CASE WHEN q.hops IS NULL THEN 'unreachable' WHEN q.hops > 3 THEN '4+' ELSE toString(q.hops) END AS band,
     head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, p.kind AS kind, change,
     1.0 * size([n IN q.before WHERE NOT change OR NOT n IN q.after]) / size(p.options) AS old
RETURN band, level, kind,
       sum(CASE WHEN change THEN old ELSE 0.0 END) AS kept, sum(CASE WHEN change THEN 0.0 ELSE 1.0 - old END) AS lost
ORDER BY band, level, kind
