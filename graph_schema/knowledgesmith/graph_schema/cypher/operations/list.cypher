// purpose: operations, newest first, of one method or of all (method empty), in some states, older than a position
// params: before_ms, before_id, method, states, limit
// returns: properties
// access: read
//
// Requests stay where they are: nobody is told them.
MATCH (o:Operation)
WHERE o.created_ms <= $before_ms AND (o.created_ms < $before_ms OR o.id < $before_id)
  AND ($method = '' OR o.method = $method) AND o.state IN $states
RETURN o {.*, request: null} AS properties
ORDER BY o.created_ms DESC, o.id DESC LIMIT $limit
