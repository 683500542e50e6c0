// purpose: begin to load an archive into a graph that is not there, or find where an earlier load of it stopped
// params: graph_id, archive
// returns: archive, digest, member, rows
// access: write
MERGE (g:Graph {graph_id: $graph_id})
ON CREATE SET g.archive = $archive, g.load_member = 0, g.load_rows = 0
SET g.imports = coalesce(g.imports, 0)
RETURN g.archive AS archive, g.digest AS digest, g.load_member AS member, g.load_rows AS rows
