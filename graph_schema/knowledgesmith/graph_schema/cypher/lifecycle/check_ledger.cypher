// purpose: the sequence of one intervention's ledger: how many rows, how many numbers, from where to where
// params: id
// returns: state, planned_rows, written_rows, rows, numbers, first, last, misfiled, foreign_rows
// access: read
MATCH (i:Intervention {id: $id})
OPTIONAL MATCH (i)-[c:CHANGED]->(e)
RETURN i.state AS state, coalesce(i.planned_rows, 0) AS planned_rows, coalesce(i.written_rows, 0) AS written_rows,
       count(c) AS rows, count(DISTINCT c.seq) AS numbers, min(c.seq) AS first, max(c.seq) AS last,
       sum(CASE WHEN c.intervention = i.id THEN 0 WHEN c IS NULL THEN 0 ELSE 1 END) AS misfiled,
       sum(CASE WHEN e.graph_id = i.graph_id THEN 0 WHEN e IS NULL THEN 0 ELSE 1 END) AS foreign_rows
