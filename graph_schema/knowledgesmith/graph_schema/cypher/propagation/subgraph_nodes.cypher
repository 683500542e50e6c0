// purpose: the entities that an intervention changed most, its targets first
// params: id, limit
// returns: uid, name, level, type, domain, hops, before, after, target
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WITH i, e, min(c.hops) AS hops, avg(c.before) AS before, avg(c.after) AS after, max(abs(c.delta)) AS moved
RETURN e.uid AS uid, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level,
       e.type AS type, e.domain AS domain, hops, before, after, hops = 0 AS target
ORDER BY CASE WHEN hops = 0 THEN 0 ELSE 1 END, coalesce(moved, 0.0) DESC, uid LIMIT $limit
