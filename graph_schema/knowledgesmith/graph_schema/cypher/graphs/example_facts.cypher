// purpose: one fact of each relationship type, by the first subject's uid, among a number of facts
// params: graph_id, rel_types, limit
// returns: rel_type, subject, object
// access: read
MATCH (s:Entity {graph_id: $graph_id})
USING INDEX s:Entity(graph_id, uid)
WHERE s.uid > '' AND NOT s.retired
MATCH (s)-[f]->(o:Entity)
WHERE f.fact_id IS NOT NULL AND type(f) IN $rel_types AND NOT o.retired
WITH s, f, o LIMIT $limit
WITH type(f) AS rel_type, head(collect([s.name, o.name])) AS names
RETURN rel_type, names[0] AS subject, names[1] AS object
ORDER BY rel_type
