// purpose: create links of the hierarchy from lists (element id of the parent, of the child)
// params: graph_id, rows
// returns: created
// access: write
UNWIND $rows AS row
MATCH (p)
WHERE elementId(p) = row[0] AND p.graph_id = $graph_id
MATCH (c)
WHERE elementId(c) = row[1]
CREATE (p)-[h:HAS_CHILD]->(c)
RETURN count(h) AS created
