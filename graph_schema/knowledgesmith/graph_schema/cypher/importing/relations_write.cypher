// purpose: write relations of the catalogue from rows of properties
// params: graph_id, rows
// returns: relations
// access: write
UNWIND $rows AS row
MERGE (r:Relation {graph_id: $graph_id, name: row.name})
SET r = row, r.graph_id = $graph_id
RETURN count(r) AS relations
