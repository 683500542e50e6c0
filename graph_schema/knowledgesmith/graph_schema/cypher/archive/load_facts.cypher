// purpose: write facts from lists (subject uid, object uid, rel_type, fact_id, source)
// params: graph_id, rows
// returns: written
// access: write
//
// The hints matter: in a database that was empty a moment ago the planner takes a scan for as cheap as a look-up.
UNWIND $rows AS row
MATCH (s:Entity {graph_id: $graph_id, uid: row[0]})
USING INDEX s:Entity(graph_id, uid)
MATCH (o:Entity {graph_id: $graph_id, uid: row[1]})
USING INDEX o:Entity(graph_id, uid)
CREATE (s)-[f:$(row[2]) {fact_id: row[3], source: row[4], graph_id: $graph_id}]->(o)
RETURN count(f) AS written
