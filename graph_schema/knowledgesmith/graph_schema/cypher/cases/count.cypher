// purpose: how many cases a graph has
// params: graph_id
// returns: cases
// access: read
MATCH (c:Case {graph_id: $graph_id})
RETURN count(c) AS cases
