// purpose: a page of cases with what is linked to them
// params: graph_id, after, limit
// returns: id, properties, subjects, positions
// access: read
//
// `subjects` are [graph, uid, fact id] of the linked changes, `positions` those of the probes.
MATCH (c:Case {graph_id: $graph_id})
WHERE c.id > $after
WITH c
ORDER BY c.id
LIMIT $limit
RETURN c.id AS id, c {.changes, .family_counts, .missing} AS properties,
       [(c)-[change:CHANGES]->(e:Entity) | [e.graph_id, e.uid, change.fact_id]] AS subjects,
       [(c)-[:ASKS]->(p:CaseProbe) | p.position] AS positions
ORDER BY id
