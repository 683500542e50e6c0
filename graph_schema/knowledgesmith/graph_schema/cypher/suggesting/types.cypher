// purpose: a page of entities: the types at both ends of each relation's facts
// params: graph_id, after, limit
// returns: seen, last, triples
// access: read
//
// Triples are [type of the relation, type of the subject, type of the object, facts], to be summed.
MATCH (s:Entity {graph_id: $graph_id})
WHERE s.uid > $after
WITH s ORDER BY s.uid LIMIT $limit
WITH collect(s) AS page, max(s.uid) AS last
CALL (page) {
  UNWIND page AS s
  MATCH (s)-[f]->(o:Entity)
  WHERE f.fact_id IS NOT NULL
  WITH type(f) AS kind, s.type AS subject, o.type AS object, count(*) AS facts
  RETURN collect([kind, subject, object, facts]) AS triples
}
RETURN size(page) AS seen, last, triples
