// purpose: note the corrected wordings of a graph
// params: graph_id, corrections
// returns: noted
// access: write
//
// `accepted_at` is part of the graph's stamp: texts of the old wordings are not used any more.
MATCH (g:Graph {graph_id: $graph_id})
SET g.corrected_wordings = $corrections, g.accepted_at = datetime.realtime()
RETURN size(g.corrected_wordings) AS noted
