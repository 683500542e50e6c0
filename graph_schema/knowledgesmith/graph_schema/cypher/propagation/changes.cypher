// purpose: all ledger rows of an intervention by sequence
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
//
// Sequence numbers have no gaps, so the rows to skip are those up to that number: the index finds a page at once.
MATCH ()-[c:CHANGED {intervention: $id}]->(e:Entity)
WHERE c.seq > $skip AND c.seq <= $skip + $limit
WITH e, c ORDER BY c.seq
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.seq
