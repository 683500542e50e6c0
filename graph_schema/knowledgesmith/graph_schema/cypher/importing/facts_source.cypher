// purpose: overwrite the source of facts from lists (element id, source)
// params: graph_id, rows
// returns: updated
// access: write
UNWIND $rows AS row
MATCH (:Entity)-[f]->(:Entity)
WHERE elementId(f) = row[0] AND f.fact_id IS NOT NULL AND f.graph_id = $graph_id
SET f.source = row[1]
RETURN count(f) AS updated
