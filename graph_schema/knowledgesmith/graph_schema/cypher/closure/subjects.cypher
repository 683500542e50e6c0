// purpose: the next entities of a graph in order of their uids, of which a round of the closure starts
// params: graph_id, after, limit
// returns: uids
// access: read
MATCH (n:Entity {graph_id: $graph_id})
WHERE n.uid > $after
WITH n.uid AS uid
ORDER BY uid
LIMIT $limit
RETURN collect(uid) AS uids
