// purpose: ids whose worker is gone: what a starting worker takes up first
// params:
// returns: id
// access: read
MATCH (i:Intervention)
WHERE i.state IN ['PREPARING', 'RUNNING', 'COMMITTING']
RETURN i.id AS id
ORDER BY i.created_at, id
