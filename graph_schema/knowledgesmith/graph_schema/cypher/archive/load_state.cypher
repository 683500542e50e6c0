// purpose: whether a graph is there, and how far an archive was loaded into it
// params: graph_id
// returns: archive, digest, member, rows, deleting
// access: read
MATCH (g:Graph {graph_id: $graph_id})
RETURN coalesce(g.archive, '') AS archive, coalesce(g.digest, '') AS digest, coalesce(g.load_member, 0) AS member,
       coalesce(g.load_rows, 0) AS rows, g.deleting_at IS NOT NULL AS deleting
