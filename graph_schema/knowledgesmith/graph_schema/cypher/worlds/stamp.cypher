// purpose: what changes whenever an import or an acceptance changes anything of a graph: its digest and both times
// params: graph_id
// returns: stamp
// access: read
//
// Names, aliases and templates are no part of the digest. An import that finds everything as it is changes nothing; a
// graph that an earlier release imported has no time of change. There is no row while the graph is not usable: being imported, loaded or deleted.
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL AND coalesce(g.state, 'ready') = 'ready' AND g.load_member IS NULL AND g.deleting_at IS NULL
RETURN g.digest + ' ' + coalesce(toString(g.changed_at), toString(g.imported_at), '') + ' '
       + coalesce(toString(g.accepted_at), '') AS stamp
