// purpose: the probes behind ledger rows of given verdicts: what was asked, what the model preferred before and after
// params: id, verdicts, skip, limit
// returns: seq, entity, name, level, kind, polarity, relation, hops, verdict, text, options, answers_before, answers_after, preferred_before, preferred_after, p_old_before, p_old_after, p_new_before, p_new_after, probe_id
// access: read
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WHERE planned.verdict IN $verdicts
WITH planned, p
ORDER BY abs(planned.p_old_after - planned.p_old_before) DESC, planned.position SKIP $skip LIMIT $limit
MATCH (p)-[:ABOUT]->(e:Entity)
RETURN planned.row_seq AS seq, e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level,
       p.kind AS kind, planned.polarity AS polarity, planned.relation AS relation, planned.hops AS hops,
       planned.verdict AS verdict,
       CASE WHEN p.prefix = '' THEN p.stem ELSE p.prefix + ' ' + p.stem END AS text, p.options AS options,
       [n IN planned.before | p.options[n]] AS answers_before, [n IN planned.after | p.options[n]] AS answers_after,
       p.options[planned.pred_before] AS preferred_before, p.options[planned.pred_after] AS preferred_after,
       planned.p_old_before AS p_old_before, planned.p_old_after AS p_old_after,
       planned.p_new_before AS p_new_before, planned.p_new_after AS p_new_after, p.id AS probe_id
ORDER BY abs(p_old_after - p_old_before) DESC, seq, probe_id
