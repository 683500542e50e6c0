// purpose: the sequence of one intervention's ledger: how many rows, how many numbers, from where to where
// params: id
// returns: state, planned_rows, written_rows, rows, numbers, first, last, misfiled, foreign_rows, damaged, first_damaged
// access: read
//
// A row is damaged where head beliefs cannot be worked out from it.
MATCH (i:Intervention {id: $id})
OPTIONAL MATCH (i)-[c:CHANGED]->(e)
WITH i, c, e,
     c IS NOT NULL AND NOT (c.seq IS :: INTEGER NOT NULL AND c.n IS :: INTEGER NOT NULL AND c.kind IS :: STRING NOT NULL
                            AND c.before IS :: INTEGER | FLOAT AND c.after IS :: INTEGER | FLOAT) AS damaged
RETURN i.state AS state, coalesce(i.planned_rows, 0) AS planned_rows, coalesce(i.written_rows, 0) AS written_rows,
       count(c) AS rows, count(DISTINCT c.seq) AS numbers, min(c.seq) AS first, max(c.seq) AS last,
       sum(CASE WHEN c.intervention = i.id THEN 0 WHEN c IS NULL THEN 0 ELSE 1 END) AS misfiled,
       sum(CASE WHEN e.graph_id = i.graph_id THEN 0 WHEN e IS NULL THEN 0 ELSE 1 END) AS foreign_rows,
       sum(CASE WHEN damaged THEN 1 ELSE 0 END) AS damaged,
       head(collect(CASE WHEN damaged THEN coalesce(toStringOrNull(c.seq), '?') END)) AS first_damaged
