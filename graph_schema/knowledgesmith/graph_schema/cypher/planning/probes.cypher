// purpose: write a batch of planned probes; a probe that another plan made already is shared
// params: id, graph_id, rows
// returns: planned
// access: write
//
// Rows are maps with the probe's id, anchor and properties, and the properties of its place in this plan.
MATCH (i:Intervention {id: $id})
UNWIND $rows AS row
MATCH (e:Entity {graph_id: $graph_id, uid: row.anchor})
MERGE (p:Probe {id: row.id})
ON CREATE SET p += row.probe
MERGE (p)-[:ABOUT]->(e)
CREATE (i)-[planned:PLANNED]->(p)
SET planned = row.planned
RETURN count(planned) AS planned
