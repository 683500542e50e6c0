// purpose: write probes about their entities, and as members of probe sets
// params: graph_id, rows
// returns: written
// access: write
//
// Rows are [uid, properties, ids of probe sets].
UNWIND $rows AS row
MATCH (e:Entity {graph_id: $graph_id, uid: row[0]})
USING INDEX e:Entity(graph_id, uid)
MERGE (p:Probe {id: row[1].id})
ON CREATE SET p = row[1]
WITH e, p, row
WHERE p.graph_id = $graph_id
MERGE (p)-[:ABOUT]->(e)
WITH p, row
CALL (p, row) {
  UNWIND row[2] AS id
  MATCH (s:ProbeSet {id: id, graph_id: $graph_id})
  MERGE (p)-[:MEMBER]->(s)
  RETURN count(s) AS sets
}
WITH p, row, sets
WHERE sets = size(row[2])
RETURN count(p) AS written
