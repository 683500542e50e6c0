// purpose: rows that should have stayed and did not
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WHERE c.n_collateral > 0
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.n_collateral DESC, row.delta, row.seq SKIP $skip LIMIT $limit
