// purpose: forget operations of other homes that have not ended and of which nobody has told anything for long
// params: home, age_ms, limit
// returns: id
// access: write
MATCH (o:Operation)
WHERE o.created_ms < timestamp() - $age_ms AND o.state = 'RUNNING' AND o.home <> $home
  AND o.touched_ms < timestamp() - $age_ms
WITH o LIMIT $limit
WITH o, o.id AS id
DETACH DELETE o
RETURN id
