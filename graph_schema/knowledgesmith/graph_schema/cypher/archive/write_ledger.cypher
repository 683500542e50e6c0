// purpose: the ledger rows of one intervention after a sequence number, in order
// params: id, after, limit
// returns: entity, properties
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WHERE c.seq > $after
WITH c, e ORDER BY c.seq LIMIT $limit
RETURN e.uid AS entity, c {.*} AS properties
ORDER BY properties.seq
