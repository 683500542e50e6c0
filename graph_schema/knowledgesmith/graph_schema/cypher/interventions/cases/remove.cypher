// purpose: delete at most so many cases that an import no longer names, after their probes
// params: graph_id, stamp, limit
// returns: removed
// access: write
MATCH (c:Case {graph_id: $graph_id})
WHERE c.stamp <> $stamp
WITH c LIMIT $limit
DETACH DELETE c
RETURN count(*) AS removed
