// purpose: where a change stopped: entities that were measured and did not move, next to entities that did
// params: id, threshold, limit
// returns: entity, name, level, hops, moved, neighbours, names
// access: read
MATCH (:Intervention {id: $id})-[c:CHANGED]->(e)
WITH e, max(abs(c.delta)) AS moved, min(c.hops) AS hops
WITH collect(CASE WHEN moved >= $threshold THEN e END) AS movers,
     collect(CASE WHEN moved < $threshold THEN [e, moved, hops] END) AS still
UNWIND still AS row
WITH movers, row[0] AS e, row[1] AS moved, row[2] AS hops
MATCH (e)-[f]-(x:Entity)
WHERE f.fact_id IS NOT NULL AND x IN movers AND x <> e
WITH e, moved, hops, x ORDER BY x.uid
WITH e, moved, hops, collect(DISTINCT x.name) AS names
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, hops, moved,
       size(names) AS neighbours, names[..5] AS names
ORDER BY hops, neighbours DESC, entity LIMIT $limit
