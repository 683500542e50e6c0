// purpose: for each fact that an intervention changed, which of its questions support the old and which the new object
// params: id, conflicts_only, skip, limit
// returns: position, subject, subject_name, relation, functional, old_object, old_name, new_object, new_name, contexts, old_before, new_before, old_after, new_after, yes_old_before, yes_new_before, yes_old_after, yes_new_after, agree_old, agree_new, evidence
// access: read
//
// The questions of a fact are those about its subject and relation that have its old or its new object among the
// answers of either world, the reverse ones about these objects, and the statements of the two: what belongs to other
// changed facts of the same subject and relation is not counted. A question supports an object when the model's best
// answer says it: the object itself (DIRECT, COMPARISON), the subject (REVERSE), or "true" (CONFLICT; a tie, -1, supports nothing). `agree_old` and
// `agree_new` count questions answered as that world answers.
// The evidence is one row a question: kind, text, best answer before and after, supports old and new after.
MATCH (i:Intervention {id: $id})-[t:TARGETS]->(s:Entity)
OPTIONAL MATCH (r:Relation {graph_id: i.graph_id, name: t.relation})
OPTIONAL MATCH (o:Entity {graph_id: i.graph_id, uid: t.old_object})
OPTIONAL MATCH (n:Entity {graph_id: i.graph_id, uid: t.new_object})
CALL (i, t, s, o, n) {
  MATCH (s)<-[:ABOUT]-(p:Probe)<-[q:PLANNED]-(i)
  WHERE q.verdict IS NOT NULL AND q.polarity = 'change' AND p.path = [t.relation]
    AND CASE WHEN p.kind = 'CONFLICT' THEN q.asked_fact_id IN [t.fact_id, coalesce(t.new_fact_id, q.asked_fact_id)]
             ELSE any(x IN q.before + q.after WHERE p.option_uids[x] IN [t.old_object, t.new_object]) END
  RETURN p, q, false AS reversed
  UNION ALL
  UNWIND [o, n] AS end
  MATCH (end)<-[:ABOUT]-(p:Probe)<-[q:PLANNED]-(i)
  WHERE q.verdict IS NOT NULL AND q.polarity = 'change' AND p.path = ['~' + t.relation]
    AND any(x IN q.before + q.after WHERE p.option_uids[x] = s.uid)
  RETURN p, q, true AS reversed
}
WITH t, s, r, o, n, p, q, CASE WHEN q.pred_before >= 0 THEN p.option_uids[q.pred_before] END AS first,
     CASE WHEN q.pred_after >= 0 THEN p.option_uids[q.pred_after] END AS last,
     CASE WHEN p.kind = 'CONFLICT' THEN ['true', 'true'] WHEN reversed THEN [s.uid, s.uid]
          ELSE [t.old_object, t.new_object] END AS said
WITH t, s, r, o, n, p, q,
     first = said[0] AND q.pred_before IN q.before AS old_before,
     first = said[1] AND q.pred_before IN q.after AS new_before,
     last = said[0] AND q.pred_after IN q.before AS old_after,
     last = said[1] AND q.pred_after IN q.after AS new_after,
     q.pred_after IN q.before AS agrees_old,
     q.pred_after IN q.after OR (size(q.after) = 0 AND q.pred_after >= 0 AND NOT q.pred_after IN q.before) AS agrees_new
ORDER BY q.position
WITH t, s, r, o, n, count(q) AS contexts,
     count(CASE WHEN old_before THEN 1 END) AS old_before, count(CASE WHEN new_before THEN 1 END) AS new_before,
     count(CASE WHEN old_after THEN 1 END) AS old_after, count(CASE WHEN new_after THEN 1 END) AS new_after,
     count(CASE WHEN p.kind = 'CONFLICT' AND old_before THEN 1 END) AS yes_old_before,
     count(CASE WHEN p.kind = 'CONFLICT' AND new_before THEN 1 END) AS yes_new_before,
     count(CASE WHEN p.kind = 'CONFLICT' AND old_after THEN 1 END) AS yes_old_after,
     count(CASE WHEN p.kind = 'CONFLICT' AND new_after THEN 1 END) AS yes_new_after,
     count(CASE WHEN agrees_old THEN 1 END) AS agree_old, count(CASE WHEN agrees_new THEN 1 END) AS agree_new,
     collect([p.kind, p.stem, CASE WHEN q.pred_before >= 0 THEN p.options[q.pred_before] ELSE '' END,
              CASE WHEN q.pred_after >= 0 THEN p.options[q.pred_after] ELSE '' END, old_after, new_after])[..20] AS evidence
WHERE NOT $conflicts_only OR (old_after > 0 AND new_after > 0)
RETURN t.position AS position, s.uid AS subject, s.name AS subject_name, t.relation AS relation,
       coalesce(r.functional, false) AS functional, coalesce(t.old_object, '') AS old_object, coalesce(o.name, '') AS old_name,
       coalesce(t.new_object, '') AS new_object, coalesce(n.name, '') AS new_name, contexts,
       old_before, new_before, old_after, new_after, yes_old_before, yes_new_before, yes_old_after, yes_new_after,
       agree_old, agree_new, evidence
ORDER BY position SKIP $skip LIMIT $limit
