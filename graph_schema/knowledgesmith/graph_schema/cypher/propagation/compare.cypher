// purpose: the rows of two interventions side by side by entity, kind, polarity and asked fact, largest difference first
// params: first, second, skip, limit
// returns: entity, name, kind, polarity, fact_id, relation, first_before, first_after, first_delta, second_before, second_after, second_delta, difference
// access: read
//
// A row that only one of them has stands with empty values for the other, after all that both have.
CALL () {
  MATCH (:Intervention {id: $first})-[c:CHANGED]->(e:Entity)
  RETURN e, c, 0 AS side
  UNION ALL
  MATCH (:Intervention {id: $second})-[c:CHANGED]->(e:Entity)
  RETURN e, c, 1 AS side
}
WITH e, c.kind AS kind, c.polarity AS polarity, c.fact_id AS fact_id,
     head(collect(CASE side WHEN 0 THEN c END)) AS a, head(collect(CASE side WHEN 1 THEN c END)) AS b
WITH e, kind, polarity, fact_id, a, b, b.delta - a.delta AS difference
ORDER BY a IS NULL OR b IS NULL, coalesce(abs(difference), -1.0) DESC, coalesce(a.seq, b.seq), e.uid, fact_id SKIP $skip LIMIT $limit
RETURN e.uid AS entity, e.name AS name, kind, polarity, fact_id, coalesce(a.relation, b.relation) AS relation,
       a.before AS first_before, a.after AS first_after, a.delta AS first_delta,
       b.before AS second_before, b.after AS second_after, b.delta AS second_delta, difference
ORDER BY a IS NULL OR b IS NULL, coalesce(abs(difference), -1.0) DESC, coalesce(a.seq, b.seq), entity, fact_id
