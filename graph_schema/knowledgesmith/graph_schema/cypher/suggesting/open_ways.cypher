// purpose: ways of two facts that no fact of a relation closes, by their start, middle and end
// params: graph_id, first, second, closing, limit
// returns: subject, middle, object
// access: read
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > ''
WITH a ORDER BY a.uid
CALL (a) {
  MATCH (a)-[f]->(b:Entity)
  WHERE type(f) = $first AND f.fact_id IS NOT NULL AND a <> b
  MATCH (b)-[g]->(c:Entity)
  WHERE type(g) = $second AND g.fact_id IS NOT NULL AND b <> c AND a <> c
    AND NOT EXISTS { MATCH (a)-[h]->(c) WHERE type(h) = $closing AND h.fact_id IS NOT NULL }
  RETURN b.uid AS middle, c.uid AS object ORDER BY middle, object LIMIT $limit
}
RETURN a.uid AS subject, middle, object
LIMIT $limit
