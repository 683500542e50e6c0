// purpose: the corrected wordings that are noted on a graph
// params: graph_id
// returns: corrections
// access: read
MATCH (g:Graph {graph_id: $graph_id})
RETURN coalesce(g.corrected_wordings, []) AS corrections
