// purpose: move the position of a load forward, if it stands where this writer left it
// params: graph_id, archive, member, rows, next_member, next_rows
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id, archive: $archive})
SET g.load_rows = g.load_rows + 0
WITH g
WHERE g.load_member = $member AND g.load_rows = $rows AND g.digest IS NULL AND g.deleting_at IS NULL
SET g.load_member = $next_member, g.load_rows = $next_rows
RETURN g.graph_id AS graph_id
