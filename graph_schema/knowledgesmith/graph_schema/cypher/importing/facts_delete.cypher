// purpose: delete facts by element id
// params: graph_id, rows
// returns: deleted
// access: write
UNWIND $rows AS row
MATCH (:Entity)-[f]->(:Entity)
WHERE elementId(f) = row AND f.fact_id IS NOT NULL AND f.graph_id = $graph_id
DELETE f
RETURN count(*) AS deleted
