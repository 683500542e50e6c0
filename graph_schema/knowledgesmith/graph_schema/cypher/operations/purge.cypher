// purpose: forget operations that ended long ago, some at a time
// params: age_ms, limit
// returns: id
// access: write
MATCH (o:Operation)
WHERE o.finished_ms < timestamp() - $age_ms
WITH o LIMIT $limit
WITH o, o.id AS id
DETACH DELETE o
RETURN id
