// purpose: remove HAS_CHILD where no hierarchical fact supports it any more
// params: graph_id, to_parent, to_child
// returns: removed
// access: write
MATCH (p:Entity {graph_id: $graph_id})-[h:HAS_CHILD]->(c:Entity)
USING INDEX p:Entity(graph_id)
WHERE NOT EXISTS { MATCH (c)-[f]->(p) WHERE type(f) IN $to_parent AND f.fact_id IS NOT NULL }
  AND NOT EXISTS { MATCH (p)-[f]->(c) WHERE type(f) IN $to_child AND f.fact_id IS NOT NULL }
DELETE h
RETURN count(*) AS removed
