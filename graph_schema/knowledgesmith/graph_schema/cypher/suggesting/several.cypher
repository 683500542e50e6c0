// purpose: entities to which a relation, in any way it can be written, gives several other ends, by uid
// params: graph_id, outgoing, incoming, limit
// returns: uid, ends
// access: read
//
// `outgoing` are the types whose facts leave the entity, `incoming` those whose facts reach it.
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > ''
WITH e ORDER BY e.uid
CALL (e) {
  CALL (e) {
    MATCH (e)-[f]->(x:Entity)
    WHERE type(f) IN $outgoing AND f.fact_id IS NOT NULL
    RETURN x
    UNION
    MATCH (e)<-[f]-(x:Entity)
    WHERE type(f) IN $incoming AND f.fact_id IS NOT NULL
    RETURN x
  }
  WITH x ORDER BY x.uid
  RETURN collect(x.uid) AS ends
}
WITH e, ends
WHERE size(ends) > 1
RETURN e.uid AS uid, ends[..5] AS ends
LIMIT $limit
