// purpose: the rows of two interventions side by side by entity, kind, polarity and asked fact, largest difference first
// params: first, second, skip, limit
// returns: entity, name, kind, polarity, role, fact_id, relation, first_before, first_after, first_delta, second_before, second_after, second_delta, difference
// access: read
//
// The role follows from the others within a run, and may differ between two: it is that of the first run which has one.
// A row that only one of them has stands with empty values for the other, after all that both have.
// What decides the order is joined first; the rest is looked up for the rows that are returned.
CALL () {
  MATCH (:Intervention {id: $first})-[c:CHANGED]->(e)
  RETURN e, c.kind AS kind, c.polarity AS polarity, c.fact_id AS fact_id,
         c.seq AS a_seq, c.delta AS a_delta, null AS b_seq, null AS b_delta
  UNION ALL
  MATCH (:Intervention {id: $second})-[c:CHANGED]->(e)
  RETURN e, c.kind AS kind, c.polarity AS polarity, c.fact_id AS fact_id,
         null AS a_seq, null AS a_delta, c.seq AS b_seq, c.delta AS b_delta
}
WITH e, kind, polarity, fact_id, min(a_seq) AS a_seq, min(b_seq) AS b_seq, max(b_delta) - max(a_delta) AS difference
ORDER BY a_seq IS NULL OR b_seq IS NULL, coalesce(abs(difference), -1.0) DESC, coalesce(a_seq, b_seq), e.uid, fact_id
SKIP $skip LIMIT $limit
OPTIONAL MATCH ()-[a:CHANGED {intervention: $first, seq: a_seq}]->()
USING INDEX a:CHANGED(intervention, seq)
OPTIONAL MATCH ()-[b:CHANGED {intervention: $second, seq: b_seq}]->()
USING INDEX b:CHANGED(intervention, seq)
RETURN e.uid AS entity, e.name AS name, kind, polarity, coalesce(a.role, b.role, '') AS role, fact_id, coalesce(a.relation, b.relation) AS relation,
       a.before AS first_before, a.after AS first_after, a.delta AS first_delta,
       b.before AS second_before, b.after AS second_after, b.delta AS second_delta, difference
ORDER BY a IS NULL OR b IS NULL, coalesce(abs(difference), -1.0) DESC, coalesce(a.seq, b.seq), entity, fact_id
