// purpose: ledger rows of an intervention after a sequence number, in order
// params: id, after, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WHERE c.seq > $after
WITH e, c ORDER BY c.seq LIMIT $limit
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.seq
