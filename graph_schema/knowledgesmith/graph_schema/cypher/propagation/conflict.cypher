// purpose: statements that the model still holds for true next to the one that replaced them: rows of conflicting facts
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
//
// A changed fact conflicts when the model says yes to its old and to its new statement (see `facts.cypher`).
MATCH (i:Intervention {id: $id})-[t:TARGETS]->(s:Entity)
CALL (i, t, s) {
  MATCH (s)<-[:ABOUT]-(p:Probe)<-[q:PLANNED]-(i)
  WHERE q.verdict IS NOT NULL AND q.polarity = 'change' AND p.path = [t.relation] AND p.kind = 'CONFLICT'
    AND q.pred_after >= 0 AND p.option_uids[q.pred_after] = 'true'
    AND q.asked_fact_id IN [t.fact_id, coalesce(t.new_fact_id, q.asked_fact_id)]
  RETURN collect(CASE WHEN q.pred_after IN q.before THEN q.row_seq END) AS old,
         count(CASE WHEN q.pred_after IN q.after THEN 1 END) AS new
}
WITH s, old, new
WHERE new > 0
UNWIND old AS seq
WITH DISTINCT s AS e, seq
MATCH ()-[c:CHANGED {intervention: $id, seq: seq}]->(e)
USING INDEX c:CHANGED(intervention, seq)
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.n_missed + coalesce(row.n_not_installed, 0) + coalesce(row.n_not_erased, 0) DESC, row.seq SKIP $skip LIMIT $limit
