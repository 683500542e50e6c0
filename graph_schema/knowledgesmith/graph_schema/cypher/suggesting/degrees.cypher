// purpose: a page of entities: how often each relation leaves and reaches one entity once or several times
// params: graph_id, after, limit
// returns: seen, last, outgoing, incoming
// access: read
//
// Rows are [type, entities, entities with more than one other end, facts, facts about itself], to be summed.
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
WITH collect(e) AS page, max(e.uid) AS last
CALL (page) {
  UNWIND page AS e
  MATCH (e)-[f]->(o:Entity)
  WHERE f.fact_id IS NOT NULL
  WITH e, type(f) AS kind, count(DISTINCT o) AS ends, sum(CASE WHEN o = e THEN 1 ELSE 0 END) AS loops
  WITH kind, count(e) AS entities, sum(CASE WHEN ends > 1 THEN 1 ELSE 0 END) AS several, sum(ends) AS facts,
       sum(loops) AS loops
  RETURN collect([kind, entities, several, facts, loops]) AS outgoing
}
CALL (page) {
  UNWIND page AS e
  MATCH (e)<-[f]-(s:Entity)
  WHERE f.fact_id IS NOT NULL
  WITH e, type(f) AS kind, count(DISTINCT s) AS ends, sum(CASE WHEN s = e THEN 1 ELSE 0 END) AS loops
  WITH kind, count(e) AS entities, sum(CASE WHEN ends > 1 THEN 1 ELSE 0 END) AS several, sum(ends) AS facts,
       sum(loops) AS loops
  RETURN collect([kind, entities, several, facts, loops]) AS incoming
}
RETURN size(page) AS seen, last, outgoing, incoming
