// purpose: how many cases a graph has
// params: graph_id
// returns: cases
// access: read
MATCH (c:Case {graph_id: $graph_id})
WHERE c.id IS NOT NULL
RETURN count(c) AS cases
