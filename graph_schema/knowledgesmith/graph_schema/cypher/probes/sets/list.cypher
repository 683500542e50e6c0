// purpose: probe sets of a graph, newest first (of all graphs where the id is empty), older than a given position
// params: graph_id, before_ms, before_id, limit
// returns: properties, created_ms, id
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
WITH s, s.created_at.epochMillis AS created_ms
WHERE $before_ms IS NULL OR created_ms < $before_ms OR (created_ms = $before_ms AND s.id > $before_id)
WITH s, created_ms ORDER BY created_ms DESC, s.id LIMIT $limit
RETURN s {.*, created_at: null} AS properties, created_ms, s.id AS id
ORDER BY created_ms DESC, id
