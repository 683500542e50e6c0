// purpose: a page of a graph's asserted facts by subject and fact id
// params: graph_id, subject, fact, limit
// returns: subject, rel_type, object, fact_id, source
// access: read
MATCH (s:Entity {graph_id: $graph_id})
WHERE s.uid >= $subject
MATCH (s)-[f]->(o:Entity)
WHERE f.fact_id IS NOT NULL AND f.graph_id = $graph_id AND (s.uid > $subject OR f.fact_id > $fact)
RETURN s.uid AS subject, type(f) AS rel_type, o.uid AS object, f.fact_id AS fact_id, f.source AS source
ORDER BY subject, fact_id LIMIT $limit
