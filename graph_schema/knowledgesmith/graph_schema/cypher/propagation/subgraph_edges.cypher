// purpose: the asserted facts between given entities of a graph
// params: graph_id, uids
// returns: source, rel_type, target, fact_id
// access: read
MATCH (a:Entity {graph_id: $graph_id})-[f]->(b:Entity {graph_id: $graph_id})
WHERE a.uid IN $uids AND b.uid IN $uids AND f.fact_id IS NOT NULL
RETURN a.uid AS source, type(f) AS rel_type, b.uid AS target, f.fact_id AS fact_id
ORDER BY source, rel_type, target
