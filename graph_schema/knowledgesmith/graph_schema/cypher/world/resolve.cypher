// purpose: the facts behind given fact ids, asserted in one world
// params: graph_id, world, types, ids
// returns: fact_id, subject, rel_type, object
// access: read
MATCH (a:Entity {graph_id: $graph_id})-[f]->(b:Entity)
WHERE
  a.uid IS NOT NULL AND
  type(f) IN $types AND
  f.fact_id IN $ids AND
  f.derived IS NULL AND
  (f.world IS NULL OR f.world = $world)
RETURN f.fact_id AS fact_id, a.uid AS subject, type(f) AS rel_type, b.uid AS object
ORDER BY fact_id
