// purpose: mark a graph as being deleted; without a digest no listing shows it and nothing can be planned on it
// params: graph_id
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.deleting_at = coalesce(g.deleting_at, datetime()), g.digest = null, g.head_branch = null
REMOVE g.import_owner, g.import_expires
RETURN g.graph_id AS graph_id
