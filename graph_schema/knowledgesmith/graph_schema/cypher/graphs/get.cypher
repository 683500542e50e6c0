// purpose: a graph, with the counts of its content that were kept for a stamp
// params: graph_id
// returns: graph_id, digest, source, head_branch, counts, counts_stamp, relations, incomplete
// access: read
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL
RETURN g.graph_id AS graph_id, g.digest AS digest, g.source AS source, g.head_branch AS head_branch,
       g.counts AS counts, g.counts_stamp AS counts_stamp,
       COUNT { MATCH (r:Relation {graph_id: g.graph_id}) WHERE r.name IS NOT NULL } AS relations,
       coalesce(g.state, 'ready') <> 'ready' OR g.load_member IS NOT NULL OR g.deleting_at IS NOT NULL AS incomplete
