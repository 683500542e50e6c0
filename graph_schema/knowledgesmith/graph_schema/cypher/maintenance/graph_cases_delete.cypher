// purpose: delete at most so many ready interventions of benchmarks, with their probes, of a graph that is being deleted
// params: graph_id, limit
// returns: deleted
// access: write
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.deleting_at IS NOT NULL
MATCH (c:Case {graph_id: $graph_id})
WHERE c.id IS NOT NULL
WITH c LIMIT $limit
OPTIONAL MATCH (c)-[:ASKS]->(p:CaseProbe)
DETACH DELETE p
WITH DISTINCT c
DETACH DELETE c
RETURN count(*) AS deleted
