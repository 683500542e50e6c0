// purpose: a page of the entities of a graph in the order of uids, retired ones included, as one block
// params: graph_id, after, limit
// returns: rows
// access: read
//
// Rows are [uid, name, type, domain, aliases, retired].
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
RETURN collect([e.uid, e.name, e.type, e.domain, e.aliases, e.retired]) AS rows
