// purpose: rows that should have changed and still give the old answer
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WHERE c.n_missed > 0
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.n_missed DESC, row.after DESC, row.seq SKIP $skip LIMIT $limit
