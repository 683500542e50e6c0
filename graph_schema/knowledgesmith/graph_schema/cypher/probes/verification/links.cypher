// purpose: which ends of chains a single fact connects with the start, either way
// params: graph_id, world, types, rows
// returns: linked
// access: read
//
// Rows are [start, ends]; `linked` holds pairs of a start and those of its ends.
UNWIND $rows AS row
OPTIONAL MATCH (start:Entity {graph_id: $graph_id, uid: row[0]})
WITH
  row,
  COLLECT {
    MATCH (start)-[s]-(x:Entity)
    WHERE type(s) IN $types AND coalesce(s.world, $world) = $world
    RETURN x.uid
  } AS reached
RETURN collect([row[0], [uid IN row[1] WHERE uid IN reached]]) AS linked
