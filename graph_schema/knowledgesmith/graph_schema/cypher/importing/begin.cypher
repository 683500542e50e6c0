// purpose: take the import lock of a graph where nobody holds it, its holder is dead, or the lease is over
// params: graph_id, owner, dead, lease_ms
// returns: free, holder, digest, resumed, blocked, accepted
// access: write
MERGE (g:Graph {graph_id: $graph_id})
ON CREATE SET g.created_at = datetime(), g.imports = 0
SET g.imports = g.imports + 0
WITH g, coalesce(g.import_owner, '') AS holder, coalesce(g.state, '') = 'importing' AS resumed,
     CASE WHEN g.deleting_at IS NOT NULL THEN 'deletion' WHEN g.load_member IS NOT NULL THEN 'archive' ELSE '' END AS blocked
WITH g, holder, resumed, blocked,
     blocked = '' AND (holder IN ['', $owner, $dead] OR coalesce(g.import_expires, 0) < timestamp()) AS free
SET g.import_owner = CASE WHEN free THEN $owner ELSE g.import_owner END,
    g.import_expires = CASE WHEN free THEN timestamp() + $lease_ms ELSE g.import_expires END,
    g.state = CASE WHEN free THEN 'importing' ELSE g.state END,
    g.imports = g.imports + CASE WHEN free THEN 1 ELSE 0 END
RETURN free, holder, g.digest AS digest, resumed, blocked, coalesce(g.accepted_traits, []) AS accepted
