// purpose: finish a load: the graph has its properties and its digest, and so becomes visible
// params: graph_id, archive, properties
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id, archive: $archive})
SET g += $properties
REMOVE g.load_member, g.load_rows
RETURN g.graph_id AS graph_id
