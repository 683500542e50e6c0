// purpose: write facts from lists (subject uid, object uid, rel_type, fact_id, source)
// params: graph_id, rows
// returns: written
// access: write
UNWIND $rows AS row
MATCH (s:Entity {graph_id: $graph_id, uid: row[0]})
MATCH (o:Entity {graph_id: $graph_id, uid: row[1]})
CREATE (s)-[f:$(row[2]) {fact_id: row[3], source: row[4], graph_id: $graph_id}]->(o)
RETURN count(f) AS written
