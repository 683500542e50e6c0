// purpose: write probes of a set as nodes about their anchors
// params: id, graph_id, rows
// returns: written
// access: write
//
// Rows are maps with the probe's id, anchor and properties, sorted by anchor. Where fewer probes were `written` than
// rows came, an anchor is missing: what was written is then to be taken back.
MATCH (s:ProbeSet {id: $id})
UNWIND $rows AS row
MATCH (e:Entity {graph_id: $graph_id, uid: row.anchor})
MERGE (p:Probe {id: row.id})
ON CREATE SET p += row.probe
MERGE (p)-[:ABOUT]->(e)
MERGE (p)-[:MEMBER]->(s)
RETURN count(p) AS written
