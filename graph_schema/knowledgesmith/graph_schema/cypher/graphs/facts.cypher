// purpose: every asserted fact of a graph
// params: graph_id
// returns: subject, rel_type, object, fact_id, source, element
// access: read
MATCH (s:Entity {graph_id: $graph_id})-[f]->(o:Entity)
WHERE f.fact_id IS NOT NULL AND f.graph_id = $graph_id
RETURN s.uid AS subject, type(f) AS rel_type, o.uid AS object, f.fact_id AS fact_id, f.source AS source,
       elementId(f) AS element
