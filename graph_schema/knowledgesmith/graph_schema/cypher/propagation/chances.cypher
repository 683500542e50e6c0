// purpose: what a uniform guesser would get by one grouping and role: the chance levels beside the rates of groups
// params: ids, by, entity, relation, kind
// returns: intervention, key, role, guess_installed, guess_erased, guess_propagated, guess_forgotten, guess_kept, guess_lost
// access: read
//
// `by` is the name of a grouping: all, domain, hop, kind, level, relation or role. An empty entity, relation or kind
// admits every one.
// The verdicts' first scheme has the role '' and called an old answer that is gone propagated.
// Over the eligible probes, what choosing an option at random gives: the share of options that are the new answer
// (installed, propagated), that are not the old one (erased, forgotten, lost), that are the old one (kept).
UNWIND $ids AS id
MATCH (i:Intervention {id: id})-[q:PLANNED]->(p:Probe)
WHERE q.verdict <> 'INELIGIBLE' AND ($relation = '' OR q.relation = $relation) AND ($kind = '' OR p.kind = $kind)
MATCH (p)-[:ABOUT]->(e)
WHERE $entity = '' OR e.uid = $entity
WITH i.id AS intervention, CASE $by
       WHEN 'all' THEN 'all'
       WHEN 'domain' THEN coalesce(e.domain, '')
       WHEN 'hop' THEN CASE WHEN q.hops IS NULL THEN 'unreachable' ELSE toString(q.hops) END
       WHEN 'kind' THEN p.kind
       WHEN 'level' THEN head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']])
       WHEN 'relation' THEN q.relation
       ELSE coalesce(q.role, CASE q.polarity WHEN 'stay' THEN 'stays' ELSE '' END)
     END AS key,
     coalesce(q.role, CASE q.polarity WHEN 'stay' THEN 'stays' ELSE '' END) AS role,
     i.goal = 'UNLEARN' OR size(q.after) = 0 AS erasing, size(q.after) = 0 AS gone,
     1.0 * size(q.after) / size(p.options) AS new,
     1.0 * size([n IN q.before WHERE q.polarity = 'stay' OR NOT n IN q.after]) / size(p.options) AS old
RETURN intervention, key, role,
       sum(CASE WHEN role = 'target' AND NOT erasing THEN new ELSE 0.0 END) AS guess_installed,
       sum(CASE WHEN role = 'target' AND erasing THEN 1.0 - old ELSE 0.0 END) AS guess_erased,
       sum(CASE WHEN role = '' AND gone THEN 1.0 - old WHEN role IN ['follows', ''] THEN new ELSE 0.0 END)
         AS guess_propagated,
       sum(CASE WHEN role = 'follows' AND gone THEN 1.0 - old ELSE 0.0 END) AS guess_forgotten,
       sum(CASE WHEN role IN ['follows', ''] THEN old ELSE 0.0 END) AS guess_kept,
       sum(CASE WHEN role = 'stays' THEN 1.0 - old ELSE 0.0 END) AS guess_lost
ORDER BY intervention, key, role
