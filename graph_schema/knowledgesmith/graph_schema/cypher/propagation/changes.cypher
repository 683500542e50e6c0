// purpose: all ledger rows of an intervention by sequence
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WHERE c.seq > 0
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.seq SKIP $skip LIMIT $limit
