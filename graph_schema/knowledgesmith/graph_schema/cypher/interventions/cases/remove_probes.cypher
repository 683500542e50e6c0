// purpose: delete at most so many probes of cases that an import no longer names
// params: graph_id, stamp, limit
// returns: removed
// access: write
MATCH (c:Case {graph_id: $graph_id})
WHERE c.stamp <> $stamp
MATCH (c)-[:ASKS]->(p:CaseProbe)
WITH p LIMIT $limit
DETACH DELETE p
RETURN count(*) AS removed
