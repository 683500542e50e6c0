// purpose: write probe sets
// params: rows
// returns: written
// access: write
UNWIND $rows AS row
CREATE (s:ProbeSet)
SET s = row
RETURN count(s) AS written
