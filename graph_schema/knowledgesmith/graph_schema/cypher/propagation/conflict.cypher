// purpose: statements that the model supports although a changed statement contradicts them: conflict rows still judged as before
// params: id, skip, limit
// returns: entity, name, level, row
// access: read
MATCH (i:Intervention {id: $id})-[c:CHANGED {kind: 'CONFLICT', polarity: 'change'}]->(e:Entity)
WHERE c.n_missed > 0
  AND EXISTS {
    MATCH (i)-[o:CHANGED {polarity: 'change'}]->(e)
    WHERE o.relation = c.relation AND o.n_propagated > 0
  }
RETURN e.uid AS entity, e.name AS name,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, properties(c) AS row
ORDER BY row.n_missed DESC, row.seq SKIP $skip LIMIT $limit
