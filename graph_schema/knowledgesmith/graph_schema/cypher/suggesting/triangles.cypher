// purpose: a page of entities: how many ways of two facts from them are closed by a third, by the three relations
// params: graph_id, after, limit, max_degree
// returns: seen, last, triples
// access: read
//
// Triples are [first type, second type, closing type, ways], to be summed. An entity that more than `max_degree` facts
// leave is no start: its ways would outnumber all others.
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > $after
WITH a ORDER BY a.uid LIMIT $limit
WITH collect(a) AS page, max(a.uid) AS last
CALL (page) {
  UNWIND page AS a
  WITH a
  WHERE COUNT { (a)-->() } <= $max_degree
  MATCH (a)-[h]->(c:Entity)
  WHERE h.fact_id IS NOT NULL AND a <> c
  MATCH (a)-[f]->(b:Entity)
  WHERE f.fact_id IS NOT NULL AND b <> a AND b <> c
  MATCH (b)-[g]->(c)
  WHERE g.fact_id IS NOT NULL
  WITH type(f) AS one, type(g) AS two, type(h) AS closing, count(*) AS ways
  RETURN collect([one, two, closing, ways]) AS triples
}
RETURN size(page) AS seen, last, triples
