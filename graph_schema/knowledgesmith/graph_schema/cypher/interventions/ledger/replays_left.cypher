// purpose: graphs whose heads are to be restored, without those where that failed
// params:
// returns: graph_id
// access: read
MATCH (g:Graph) WHERE g.heads_after IS NOT NULL
WITH g WHERE g.heads_failed IS NULL
RETURN g.graph_id AS graph_id
ORDER BY graph_id
