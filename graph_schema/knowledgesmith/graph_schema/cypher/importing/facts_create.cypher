// purpose: create facts from lists (element id of the subject, of the object, rel_type, fact_id, source)
// params: graph_id, rows
// returns: created
// access: write
UNWIND $rows AS row
MATCH (s)
WHERE elementId(s) = row[0]
MATCH (o)
WHERE elementId(o) = row[1]
CREATE (s)-[f:$(row[2]) {fact_id: row[3], source: row[4], graph_id: $graph_id}]->(o)
RETURN count(f) AS created
