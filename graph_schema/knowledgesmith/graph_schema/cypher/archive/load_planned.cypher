// purpose: write places of probes in plans
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are [intervention, probe, properties].
UNWIND $rows AS row
MATCH (i:Intervention {id: row[0], graph_id: $graph_id})
MATCH (p:Probe {id: row[1], graph_id: $graph_id})
CREATE (i)-[planned:PLANNED]->(p)
SET planned = row[2]
RETURN count(planned) AS written
