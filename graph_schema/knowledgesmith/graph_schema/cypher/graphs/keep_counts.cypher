// purpose: keep the counts of a graph's content beside the stamp that they were counted under
// params: graph_id, stamp, counts
// returns: graph_id
// access: write
//
// They are used only as long as the graph has this stamp, so they need not be taken away.
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL
SET g.counts = $counts, g.counts_stamp = $stamp
RETURN g.graph_id AS graph_id
