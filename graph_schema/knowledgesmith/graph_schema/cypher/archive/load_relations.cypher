// purpose: write relations of a catalogue
// params: rows
// returns: written
// access: write
UNWIND $rows AS row
CREATE (r:Relation)
SET r = row
RETURN count(r) AS written
