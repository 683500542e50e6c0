// purpose: the probe sets of a graph with the digests of their files
// params: graph_id
// returns: id, digest
// access: read
MATCH (s:ProbeSet {graph_id: $graph_id})
RETURN s.id AS id, s.digest AS digest
ORDER BY id
