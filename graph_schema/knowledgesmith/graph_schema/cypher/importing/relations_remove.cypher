// purpose: remove relations that the catalogue does not have any more, by name
// params: graph_id, rows
// returns: removed
// access: write
UNWIND $rows AS name
MATCH (r:Relation {graph_id: $graph_id, name: name})
DETACH DELETE r
RETURN count(r) AS removed
