// purpose: give the import lock back; a graph that this import made and never wrote to goes again
// params: graph_id, owner, untouched
// returns: released
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.imports = g.imports + 0
WITH g
WHERE g.import_owner = $owner
SET g.state = CASE WHEN $untouched THEN 'ready' ELSE g.state END
REMOVE g.import_owner, g.import_expires
WITH g, $untouched AND g.digest IS NULL AND NOT EXISTS { (:Entity {graph_id: $graph_id}) } AS empty
CALL (g, empty) {
  WITH g, empty
  WHERE empty
  DETACH DELETE g
}
RETURN count(*) AS released
