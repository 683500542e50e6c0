// purpose: statements that the model supports although a changed statement contradicts them: conflict rows still judged as before
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED {polarity: 'change'}]->(e:Entity)
WHERE c.n_propagated > 0 OR (c.kind = 'CONFLICT' AND c.n_missed > 0)
WITH e, c.relation AS relation, count(CASE WHEN c.n_propagated > 0 THEN 1 END) AS new,
     collect(CASE WHEN c.kind = 'CONFLICT' AND c.n_missed > 0 THEN c END) AS old
WHERE new > 0
UNWIND old AS c
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.n_missed DESC, row.seq SKIP $skip LIMIT $limit
