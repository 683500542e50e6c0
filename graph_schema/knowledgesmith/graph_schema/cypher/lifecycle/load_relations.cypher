// purpose: write relations of a catalogue
// params: graph_id, rows
// returns: written
// access: write
UNWIND $rows AS row
CREATE (r:Relation)
SET r = row, r.graph_id = $graph_id
RETURN count(r) AS written
