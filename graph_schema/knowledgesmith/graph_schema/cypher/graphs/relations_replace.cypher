// purpose: make the catalogue of a graph exactly the given rows of properties
// params: graph_id, rows
// returns: relations
// access: write
CALL () {
  MATCH (old:Relation {graph_id: $graph_id})
  WHERE NOT old.name IN [row IN $rows | row.name]
  DETACH DELETE old
  RETURN count(old) AS removed
}
UNWIND $rows AS row
MERGE (r:Relation {graph_id: $graph_id, name: row.name})
SET r = row, r.graph_id = $graph_id
RETURN count(r) AS relations
