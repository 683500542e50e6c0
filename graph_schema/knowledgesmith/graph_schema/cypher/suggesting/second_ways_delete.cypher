// purpose: remove facts of a relation that stand the other way round as well; of a symmetric one the larger subject's
// params: graph_id, dropped, kept, symmetric, limit
// returns: removed
// access: write
//
// `dropped` and `kept` hold one relationship type each; they are the same for a symmetric relation.
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > ''
CALL (a) {
  MATCH (a)-[f]->(b:Entity)
  WHERE type(f) IN $dropped AND f.fact_id IS NOT NULL AND f.graph_id = $graph_id
    AND ($symmetric = false OR a.uid > b.uid)
    AND EXISTS { MATCH (b)-[g]->(a) WHERE type(g) IN $kept AND g.fact_id IS NOT NULL }
  RETURN f
}
WITH f
LIMIT $limit
DELETE f
RETURN count(f) AS removed
