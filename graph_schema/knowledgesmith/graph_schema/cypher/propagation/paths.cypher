// purpose: paths of asserted facts from a target along which every entity's belief moved, the largest movers first
// params: id, threshold, movers, limit
// returns: target, entity, hops, delta, uids, names, deltas, relations, forward
// access: read
//
// An entity moved when a row of this run changed by at least `threshold`; the `movers` largest are followed, at most 6
// facts far. The end is left unbound and found from each target by one breadth-first search.
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e)
WITH i, e, max(c.delta) AS up, -min(c.delta) AS down
WHERE up >= $threshold OR down >= $threshold
WITH i, e, CASE WHEN up >= down THEN up ELSE -down END AS delta
ORDER BY abs(delta) DESC, e.uid LIMIT $movers
WITH i, collect(e) AS moved, collect(delta) AS delta
CALL (i) {
  MATCH (i)-[t:TARGETS]->(s:Entity)
  UNWIND [s.uid, t.old_object, t.new_object] AS uid
  WITH i, uid, min(t.position) AS position WHERE uid <> ''
  ORDER BY position, uid LIMIT 20
  MATCH (start:Entity {graph_id: i.graph_id, uid: uid})
  RETURN start
}
MATCH p = ANY SHORTEST (start)(()-[f WHERE f.fact_id IS NOT NULL]-(x:Entity WHERE x IN moved)){1,6}(end:Entity)
WHERE end <> start
WITH start, end, f, p, moved, delta
ORDER BY size(f), start.uid
WITH end, head(collect(p)) AS p, moved, delta
WITH nodes(p) AS line, relationships(p) AS facts, end, moved, delta
RETURN line[0].uid AS target, end.uid AS entity, size(facts) AS hops,
       head([n IN range(0, size(moved) - 1) WHERE moved[n] = end | delta[n]]) AS delta,
       [n IN line | n.uid] AS uids, [n IN line | n.name] AS names,
       [n IN line | head([m IN range(0, size(moved) - 1) WHERE moved[m] = n | delta[m]])] AS deltas,
       [f IN facts | type(f)] AS relations,
       [m IN range(0, size(facts) - 1) | startNode(facts[m]) = line[m]] AS forward
ORDER BY abs(delta) DESC, hops DESC, entity LIMIT $limit
