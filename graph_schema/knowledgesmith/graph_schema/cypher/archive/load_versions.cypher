// purpose: write versions of a graph
// params: graph_id, rows
// returns: written
// access: write
MATCH (g:Graph {graph_id: $graph_id})
UNWIND $rows AS row
CREATE (v:GraphVersion)-[:OF]->(g)
SET v = row
RETURN count(v) AS written
