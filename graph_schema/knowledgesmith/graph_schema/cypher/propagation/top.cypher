// purpose: the largest belief changes of an intervention
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WHERE c.delta IS NOT NULL
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY abs(row.delta) DESC, row.seq SKIP $skip LIMIT $limit
