// purpose: direct and reverse accuracy of interventions by the number of facts they changed
// params: ids
// returns: intervention, k, direct_right, direct_n, reverse_right, reverse_n, healthy, reasons
// access: read
//
// Right is what the graph says after the update: its answer, or anything but the old one where it has none. Only probes
// whose answer should change count, and of the direct ones those that ask a target of the request (the verdicts' first
// scheme did not tell these apart). A tie (-1) is not right. An unhealthy intervention has counts, but no accuracy to be
// shown: it answers at random.
UNWIND $ids AS id
MATCH (i:Intervention {id: id})
CALL (i) {
  MATCH (i)-[q:PLANNED]->(p:Probe)
  WHERE q.polarity = 'change' AND q.verdict IS NOT NULL AND p.kind IN ['DIRECT', 'REVERSE']
    AND (p.kind = 'REVERSE' OR coalesce(q.role, 'target') = 'target')
  WITH p.kind = 'DIRECT' AS direct,
       q.pred_after IN q.after OR (size(q.after) = 0 AND q.pred_after >= 0 AND NOT q.pred_after IN q.before) AS right
  RETURN count(CASE WHEN direct AND right THEN 1 END) AS direct_right, count(CASE WHEN direct THEN 1 END) AS direct_n,
         count(CASE WHEN NOT direct AND right THEN 1 END) AS reverse_right,
         count(CASE WHEN NOT direct THEN 1 END) AS reverse_n
}
RETURN i.id AS intervention, COUNT { (i)-[:TARGETS]->() } AS k, direct_right, direct_n, reverse_right, reverse_n,
       coalesce(i.health_ok, true) AS healthy, coalesce(i.health_reasons, []) AS reasons
ORDER BY k, intervention
