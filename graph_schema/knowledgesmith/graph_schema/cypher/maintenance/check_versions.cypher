// purpose: the versions of a graph in order, with the digest of the graph as it is
// params: graph_id
// returns: number, digest, parent_digest, graph_digest
// access: read
MATCH (g:Graph {graph_id: $graph_id})<-[:OF]-(v:GraphVersion)
RETURN v.number AS number, v.digest AS digest, v.parent_digest AS parent_digest, g.digest AS graph_digest
ORDER BY number
