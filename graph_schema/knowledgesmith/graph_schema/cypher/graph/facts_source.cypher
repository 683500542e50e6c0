// purpose: overwrite the source of facts from lists (element id, source), as read in the same transaction
// params: rows
// returns: updated
// access: write
UNWIND $rows AS row
MATCH (:Entity)-[f]->(:Entity) WHERE elementId(f) = row[0] AND f.fact_id IS NOT NULL
SET f.source = row[1]
RETURN count(f) AS updated
