// purpose: ledger rows of an intervention after a sequence number, in order
// params: id, after, limit
// returns: entity, name, level, row
// access: read
//
// Sequence numbers have no gaps: a batch is a range of the index, however long the ledger is.
MATCH ()-[c:CHANGED {intervention: $id}]->(e:Entity)
WHERE c.seq > $after AND c.seq <= $after + $limit
WITH e, c ORDER BY c.seq
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.seq
