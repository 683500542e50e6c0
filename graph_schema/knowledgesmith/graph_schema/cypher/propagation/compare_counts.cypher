// purpose: how the rows of two interventions overlap and differ as a whole
// params: first, second
// returns: both, only_first, only_second, mean_difference, mean_abs_difference, same_direction
// access: read
CALL () {
  MATCH (:Intervention {id: $first})-[c:CHANGED]->(e:Entity)
  RETURN e, c, 0 AS side
  UNION ALL
  MATCH (:Intervention {id: $second})-[c:CHANGED]->(e:Entity)
  RETURN e, c, 1 AS side
}
WITH e, c.kind AS kind, c.polarity AS polarity, c.fact_id AS fact_id,
     head(collect(CASE side WHEN 0 THEN c END)) AS a, head(collect(CASE side WHEN 1 THEN c END)) AS b
RETURN count(CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 1 END) AS both,
       count(CASE WHEN b IS NULL THEN 1 END) AS only_first, count(CASE WHEN a IS NULL THEN 1 END) AS only_second,
       avg(b.delta - a.delta) AS mean_difference, avg(abs(b.delta - a.delta)) AS mean_abs_difference,
       count(CASE WHEN sign(a.delta) = sign(b.delta) THEN 1 END) AS same_direction
