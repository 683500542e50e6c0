// purpose: the intervention that ended last
// params:
// returns: id, finished_ms
// access: read
MATCH (i:Intervention)
WHERE i.finished_at IS NOT NULL
RETURN i.id AS id, i.finished_at.epochMillis AS finished_ms
ORDER BY i.finished_at DESC LIMIT 1
