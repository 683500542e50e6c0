// purpose: prolong the import lock and add what the batch of this transaction did; no row when another took the lock
// params: graph_id, owner, lease_ms, counts
// returns: counts
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.imports = g.imports + 0
WITH g
WHERE g.import_owner = $owner
SET g.import_expires = timestamp() + $lease_ms,
    g.import_counts = [i IN range(0, size($counts) - 1) | coalesce(g.import_counts[i], 0) + $counts[i]]
RETURN g.import_counts AS counts
