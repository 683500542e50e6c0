// purpose: the probes behind ledger rows of given verdicts and roles: what was asked, preferred and said before and after
// params: id, verdicts, roles, skip, limit
// returns: seq, entity, name, level, kind, polarity, role, relation, hops, verdict, text, options, answers_before, answers_after, preferred_before, preferred_after, p_old_before, p_old_after, p_new_before, p_new_after, probe_id, counter_text, text_before, text_after, text_disagrees, scorers_disagree
// access: read
//
// No role admits every one. Targets stand first. An option of -1 is a tie: none was preferred.
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WHERE planned.verdict IN $verdicts AND (size($roles) = 0 OR planned.role IN $roles)
WITH planned, p
ORDER BY coalesce(planned.role, '') <> 'target', abs(planned.p_old_after - planned.p_old_before) DESC, planned.position
SKIP $skip LIMIT $limit
MATCH (p)-[:ABOUT]->(e:Entity)
RETURN planned.row_seq AS seq, e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level,
       p.kind AS kind, planned.polarity AS polarity, coalesce(planned.role, '') AS role, planned.relation AS relation, planned.hops AS hops,
       planned.verdict AS verdict,
       CASE WHEN p.prefix = '' THEN p.stem ELSE p.prefix + ' ' + p.stem END AS text, p.options AS options,
       [n IN planned.before | p.options[n]] AS answers_before, [n IN planned.after | p.options[n]] AS answers_after,
       CASE WHEN planned.pred_before >= 0 THEN p.options[planned.pred_before] ELSE '' END AS preferred_before,
       CASE WHEN planned.pred_after >= 0 THEN p.options[planned.pred_after] ELSE '' END AS preferred_after,
       planned.p_old_before AS p_old_before, planned.p_old_after AS p_old_after,
       planned.p_new_before AS p_new_before, planned.p_new_after AS p_new_after, p.id AS probe_id,
       coalesce(p.counter_stem, '') AS counter_text, planned.text_before AS text_before, planned.text_after AS text_after,
       coalesce(planned.text_disagrees, false) AS text_disagrees,
       coalesce(planned.scorers_disagree, false) AS scorers_disagree
ORDER BY role <> 'target', abs(p_old_after - p_old_before) DESC, seq, probe_id
