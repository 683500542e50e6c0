// purpose: counts over the facts that an intervention changed: conflict, consistency, direct and reverse accuracy
// params: id
// returns: goal, facts, contradictable, same_context, conflict_same_before, conflict_same_after, conflict_any_before, conflict_any_after, asked, all_new, all_old, mixed, both_forms, forms_agree, direct_n, direct_new, direct_old, direct_eligible, direct_eligible_new, direct_chance_new, direct_chance_old, direct_eligible_chance, reverse_n, reverse_right
// access: read
//
// `contradictable`: facts of functional relations that have an old and a new object. `same_context`: those of them that
// were asked both as true-or-false statements. The chances are sums over probes of the share of right options. Which
// questions belong to a fact says `facts.cypher`; one that belongs to several counts once among the direct and reverse ones.
MATCH (i:Intervention {id: $id})-[t:TARGETS]->(s:Entity)
OPTIONAL MATCH (r:Relation {graph_id: i.graph_id, name: t.relation})
OPTIONAL MATCH (o:Entity {graph_id: i.graph_id, uid: t.old_object})
OPTIONAL MATCH (n:Entity {graph_id: i.graph_id, uid: t.new_object})
CALL (i, t, s, o, n) {
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
  WITH p.kind AS kind, q, CASE WHEN q.pred_before >= 0 THEN p.option_uids[q.pred_before] END AS first,
       CASE WHEN q.pred_after >= 0 THEN p.option_uids[q.pred_after] END AS last,
       CASE WHEN p.kind = 'CONFLICT' THEN ['true', 'true'] WHEN reversed THEN [s.uid, s.uid]
            ELSE [t.old_object, t.new_object] END AS said
  WITH kind, q, kind = 'CONFLICT' AS yes,
       first = said[0] AND q.pred_before IN q.before AS old_before,
       first = said[1] AND q.pred_before IN q.after AS new_before,
       last = said[0] AND q.pred_after IN q.before AS old_after,
       last = said[1] AND q.pred_after IN q.after AS new_after,
       q.pred_after IN q.before AS old,
       q.pred_after IN q.after OR (size(q.after) = 0 AND q.pred_after >= 0 AND NOT q.pred_after IN q.before) AS new
  RETURN count(q) AS asked,
         count(CASE WHEN old_before THEN 1 END) AS ob, count(CASE WHEN new_before THEN 1 END) AS nb,
         count(CASE WHEN old_after THEN 1 END) AS oa, count(CASE WHEN new_after THEN 1 END) AS na,
         count(CASE WHEN yes AND old_before THEN 1 END) AS yob, count(CASE WHEN yes AND new_before THEN 1 END) AS ynb,
         count(CASE WHEN yes AND old_after THEN 1 END) AS yoa, count(CASE WHEN yes AND new_after THEN 1 END) AS yna,
         count(CASE WHEN yes AND size(q.before) > 0 THEN 1 END) AS statements,
         count(CASE WHEN old THEN 1 END) AS old_n, count(CASE WHEN new THEN 1 END) AS new_n,
         count(CASE WHEN kind = 'DIRECT' THEN 1 END) AS d, count(CASE WHEN kind = 'DIRECT' AND new THEN 1 END) AS d_new,
         count(CASE WHEN kind = 'REVERSE' THEN 1 END) AS v, count(CASE WHEN kind = 'REVERSE' AND new THEN 1 END) AS v_new,
         collect(CASE WHEN kind IN ['DIRECT', 'REVERSE'] THEN q END) AS forms
}
WITH i, asked, ob, nb, oa, na, yob, ynb, yoa, yna, statements, old_n, new_n, d, d_new, v, v_new, forms,
     coalesce(r.functional, false) AND o IS NOT NULL AND n IS NOT NULL AS contrary
WITH i, count(*) AS facts, count(CASE WHEN contrary AND asked > 0 THEN 1 END) AS contradictable,
     count(CASE WHEN contrary AND statements > 1 THEN 1 END) AS same_context,
     count(CASE WHEN contrary AND statements > 1 AND yob > 0 AND ynb > 0 THEN 1 END) AS conflict_same_before,
     count(CASE WHEN contrary AND statements > 1 AND yoa > 0 AND yna > 0 THEN 1 END) AS conflict_same_after,
     count(CASE WHEN contrary AND ob > 0 AND nb > 0 THEN 1 END) AS conflict_any_before,
     count(CASE WHEN contrary AND oa > 0 AND na > 0 THEN 1 END) AS conflict_any_after,
     count(CASE WHEN asked > 0 THEN 1 END) AS asked,
     count(CASE WHEN asked > 0 AND new_n = asked THEN 1 END) AS all_new,
     count(CASE WHEN asked > 0 AND old_n = asked THEN 1 END) AS all_old,
     count(CASE WHEN new_n < asked AND old_n < asked THEN 1 END) AS mixed,
     count(CASE WHEN d > 0 AND v > 0 THEN 1 END) AS both_forms,
     count(CASE WHEN d > 0 AND v > 0 AND (2 * d_new > d) = (2 * v_new > v) THEN 1 END) AS forms_agree,
     collect(forms) AS forms
CALL (forms) {
  UNWIND forms AS some
  UNWIND some AS q
  WITH DISTINCT q
  WITH q, endNode(q) AS p
  WITH p.kind = 'DIRECT' AS direct, (size(q.before) = 0 OR q.pred_before IN q.before) AND NOT q.pred_before IN q.after AS eligible, size(p.options) AS options,
       size(q.before) AS before, size(q.after) AS after, q.pred_after IN q.before AS old,
       q.pred_after IN q.after OR (size(q.after) = 0 AND q.pred_after >= 0 AND NOT q.pred_after IN q.before) AS new
  RETURN count(CASE WHEN direct THEN 1 END) AS direct_n, count(CASE WHEN direct AND new THEN 1 END) AS direct_new,
         count(CASE WHEN direct AND old THEN 1 END) AS direct_old,
         count(CASE WHEN direct AND eligible THEN 1 END) AS direct_eligible,
         count(CASE WHEN direct AND eligible AND new THEN 1 END) AS direct_eligible_new,
         sum(CASE WHEN NOT direct THEN 0.0 WHEN after > 0 THEN 1.0 * after / options
                  ELSE 1.0 - 1.0 * before / options END) AS direct_chance_new,
         sum(CASE WHEN direct THEN 1.0 * before / options ELSE 0.0 END) AS direct_chance_old,
         sum(CASE WHEN NOT (direct AND eligible) THEN 0.0 WHEN after > 0 THEN 1.0 * after / options
                  ELSE 1.0 - 1.0 * before / options END) AS direct_eligible_chance,
         count(CASE WHEN NOT direct THEN 1 END) AS reverse_n,
         count(CASE WHEN NOT direct AND new THEN 1 END) AS reverse_right
}
RETURN i.goal AS goal, facts, contradictable, same_context, conflict_same_before, conflict_same_after,
       conflict_any_before, conflict_any_after, asked, all_new, all_old, mixed, both_forms, forms_agree,
       direct_n, direct_new, direct_old, direct_eligible, direct_eligible_new, direct_chance_new, direct_chance_old,
       direct_eligible_chance, reverse_n, reverse_right
