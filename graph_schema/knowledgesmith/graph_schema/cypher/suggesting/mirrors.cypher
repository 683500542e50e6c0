// purpose: a page of entities: how many facts of one relation are answered by one of another the other way round
// params: graph_id, after, limit
// returns: seen, last, pairs
// access: read
//
// Pairs are [type there, type back, facts], to be summed; a relation that answers itself is there too.
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid > $after
WITH a ORDER BY a.uid LIMIT $limit
WITH collect(a) AS page, max(a.uid) AS last
CALL (page) {
  UNWIND page AS a
  MATCH (a)-[f]->(b:Entity)
  WHERE f.fact_id IS NOT NULL AND a <> b
  MATCH (b)-[g]->(a)
  WHERE g.fact_id IS NOT NULL
  WITH type(f) AS there, type(g) AS back, count(*) AS facts
  RETURN collect([there, back, facts]) AS pairs
}
RETURN size(page) AS seen, last, pairs
