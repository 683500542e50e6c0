// purpose: the probe sets of a graph with all their properties
// params: graph_id
// returns: properties
// access: read
MATCH (s:ProbeSet {graph_id: $graph_id})
RETURN s {.*} AS properties
ORDER BY properties.id
