// purpose: interventions, newest first, of a branch, of states and of a goal (empty = any), older than a position
// params: branch_id, states, goal, before_ms, before_id, limit
// returns: properties, created_ms, finished_ms, rolled_back_ms
// access: read
CALL () {
  UNWIND CASE WHEN $branch_id = '' THEN [] ELSE [$branch_id] END AS branch_id
  MATCH (i:Intervention {branch_id: branch_id})
  RETURN i
  UNION ALL
  UNWIND CASE WHEN $branch_id = '' THEN [''] ELSE [] END AS least
  MATCH (i:Intervention)
  WHERE i.id > least
  RETURN i
}
WITH i, i.created_at.epochMillis AS created_ms
WHERE ($before_ms IS NULL OR created_ms < $before_ms OR (created_ms = $before_ms AND i.id < $before_id))
  AND (size($states) = 0 OR i.state IN $states)
  AND ($goal = '' OR i.goal = $goal)
RETURN i {.*, created_at: null, finished_at: null, rolled_back_at: null} AS properties, created_ms,
       i.finished_at.epochMillis AS finished_ms, i.rolled_back_at.epochMillis AS rolled_back_ms
ORDER BY created_ms DESC, i.id DESC LIMIT $limit
