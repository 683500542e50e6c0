// purpose: probe sets of a graph, newest first (of all graphs where the id is empty)
// params: graph_id, skip, limit
// returns: properties, created, id
// access: read
CALL () {
  UNWIND CASE WHEN $graph_id = '' THEN [] ELSE [$graph_id] END AS graph_id
  MATCH (s:ProbeSet {graph_id: graph_id})
  RETURN s
  UNION ALL
  UNWIND CASE WHEN $graph_id = '' THEN [''] ELSE [] END AS least
  MATCH (s:ProbeSet)
  WHERE s.id > least
  RETURN s
}
WITH s
ORDER BY s.created_at DESC, s.id
SKIP $skip
LIMIT $limit
RETURN s {.*, created_at: null} AS properties, s.created_at AS created, s.id AS id
ORDER BY created DESC, id
