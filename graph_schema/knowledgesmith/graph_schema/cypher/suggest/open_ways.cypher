// purpose: ways of two facts that no fact of a relation closes, by their start
// params: graph_id, first, second, closing, limit
// returns: subject, middle, object
// access: read
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > ''
WITH a ORDER BY a.uid
MATCH (a)-[f]->(b:Entity)
WHERE type(f) = $first AND f.fact_id IS NOT NULL AND a <> b
MATCH (b)-[g]->(c:Entity)
WHERE type(g) = $second AND g.fact_id IS NOT NULL AND b <> c AND a <> c
  AND NOT EXISTS { MATCH (a)-[h]->(c) WHERE type(h) = $closing AND h.fact_id IS NOT NULL }
RETURN a.uid AS subject, b.uid AS middle, c.uid AS object
LIMIT $limit
