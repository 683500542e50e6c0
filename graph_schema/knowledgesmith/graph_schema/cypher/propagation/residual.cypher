// purpose: rows that should have changed and did not: targets that are not installed or not erased, then what was missed
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED]->(e:Entity)
WITH e, c, coalesce(c.n_not_installed, 0) + coalesce(c.n_not_erased, 0) AS failed
WHERE c.n_missed > 0 OR failed > 0
WITH e, c, failed + c.n_missed AS left
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY coalesce(row.role, '') <> 'target', left DESC, row.after DESC, row.seq SKIP $skip LIMIT $limit
