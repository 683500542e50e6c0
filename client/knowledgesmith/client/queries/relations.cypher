// purpose: a page of a graph's relation catalogue: names and relationship types
// params: graph_id, after, limit
// returns: name, rel_type
// access: read
MATCH (r:Relation {graph_id: $graph_id})
WHERE r.name > $after
RETURN r.name AS name, r.rel_type AS rel_type
ORDER BY name LIMIT $limit
