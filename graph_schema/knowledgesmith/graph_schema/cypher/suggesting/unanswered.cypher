// purpose: facts of one relation that none of another answers the other way round, by subject and object
// params: graph_id, there, back, limit
// returns: subject, object
// access: read
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > ''
WITH a ORDER BY a.uid
CALL (a) {
  MATCH (a)-[f]->(b:Entity)
  WHERE type(f) = $there AND f.fact_id IS NOT NULL AND a <> b
    AND NOT EXISTS { MATCH (b)-[g]->(a) WHERE type(g) = $back AND g.fact_id IS NOT NULL }
  RETURN b.uid AS object ORDER BY object
}
RETURN a.uid AS subject, object
LIMIT $limit
