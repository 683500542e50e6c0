// purpose: how the rows of two interventions overlap and differ as a whole
// params: first, second
// returns: both, only_first, only_second, mean_difference, mean_abs_difference, same_direction
// access: read
CALL () {
  MATCH (:Intervention {id: $first})-[c:CHANGED]->(e)
  RETURN e, c.kind AS kind, c.polarity AS polarity, c.fact_id AS fact_id, 0 AS side, c.delta AS a, null AS b
  UNION ALL
  MATCH (:Intervention {id: $second})-[c:CHANGED]->(e)
  RETURN e, c.kind AS kind, c.polarity AS polarity, c.fact_id AS fact_id, 1 AS side, null AS a, c.delta AS b
}
WITH e, kind, polarity, fact_id, min(side) AS lowest, max(side) AS highest, max(a) AS a, max(b) AS b
RETURN count(CASE WHEN lowest < highest THEN 1 END) AS both,
       count(CASE WHEN highest = 0 THEN 1 END) AS only_first, count(CASE WHEN lowest = 1 THEN 1 END) AS only_second,
       avg(b - a) AS mean_difference, avg(abs(b - a)) AS mean_abs_difference,
       count(CASE WHEN sign(a) = sign(b) THEN 1 END) AS same_direction
