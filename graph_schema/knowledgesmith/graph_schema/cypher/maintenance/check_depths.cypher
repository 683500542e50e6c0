// purpose: a page of entities: whose depth is not one more than the smallest depth of a parent
// params: graph_id, after, limit
// returns: seen, last, findings, seeds
// access: read
//
// Together these local rules leave only the shortest way from the entities of depth 0. Those among them that have
// parents come as `seeds`: right only for the smallest uid of a cycle that no root reaches, which the caller checks.
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
CALL (e) {
  OPTIONAL MATCH (p)-[:HAS_CHILD]->(e)
  RETURN min(p.depth) AS above, count(p) AS parents
}
WITH e, above, parents, EXISTS { (e)-[:HAS_CHILD]->() } AS has_child
WITH e, parents, CASE
  WHEN parents = 0 AND NOT has_child THEN 'none'
  WHEN parents = 0 THEN '0'
  WHEN e.depth = 0 THEN '0'
  WHEN above IS NULL THEN 'a parent with a depth'
  ELSE toString(above + 1)
END AS expected, coalesce(toString(e.depth), 'none') AS found
RETURN count(e) AS seen, max(e.uid) AS last,
       collect(CASE WHEN found <> expected THEN [e.uid, found, expected] END) AS findings,
       collect(CASE WHEN parents > 0 AND e.depth = 0 THEN e.uid END) AS seeds
