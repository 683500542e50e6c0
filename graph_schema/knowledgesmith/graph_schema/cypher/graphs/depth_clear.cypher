// purpose: forget the depths of a graph before they are computed again
// params: graph_id
// returns: cleared
// access: write
MATCH (e:Entity {graph_id: $graph_id})
USING INDEX e:Entity(graph_id, depth)
WHERE e.depth IS NOT NULL
REMOVE e.depth
RETURN count(e) AS cleared
