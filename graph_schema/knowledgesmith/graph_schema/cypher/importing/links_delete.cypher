// purpose: delete links of the hierarchy by element id
// params: graph_id, rows
// returns: deleted
// access: write
UNWIND $rows AS row
MATCH (p:Entity)-[h:HAS_CHILD]->(:Entity)
WHERE elementId(h) = row AND p.graph_id = $graph_id
DELETE h
RETURN count(*) AS deleted
