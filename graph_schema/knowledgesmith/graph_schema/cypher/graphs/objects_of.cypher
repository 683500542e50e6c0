// purpose: the objects that the base graph asserts for a subject and a relation, its inverse and symmetric twin included
// params: graph_id, subject, rel_type, reversed_types
// returns: uid
// access: read
MATCH (s:Entity {graph_id: $graph_id, uid: $subject})
CALL (s) {
  MATCH (s)-[f]->(o:Entity) WHERE type(f) = $rel_type AND f.fact_id IS NOT NULL
  RETURN o.uid AS uid
  UNION
  MATCH (s)<-[f]-(o:Entity) WHERE type(f) IN $reversed_types AND f.fact_id IS NOT NULL
  RETURN o.uid AS uid
}
RETURN DISTINCT uid
ORDER BY uid
