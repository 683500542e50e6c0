// purpose: what stands on a graph: its branches, those with running interventions, its probe sets
// params: graph_id, live
// returns: deleting, blocked, branches, runs, running, sets
// access: read
MATCH (g:Graph {graph_id: $graph_id})
CALL (g) {
  MATCH (b:Branch {graph_id: g.graph_id})
  WITH b ORDER BY b.id
  RETURN collect(b.id) AS branches
}
CALL (g) {
  MATCH (:Branch {graph_id: g.graph_id})<-[:ON]-(i:Intervention)
  WITH i ORDER BY i.id
  RETURN count(i) AS runs, [x IN collect(i) WHERE x.state IN $live | x.id] AS running
}
CALL (g) {
  MATCH (s:ProbeSet {graph_id: g.graph_id})
  WITH s ORDER BY s.id
  RETURN collect(s.id) AS sets
}
RETURN g.deleting_at IS NOT NULL AS deleting, g.deleting_at IS NOT NULL OR g.load_member IS NOT NULL AS blocked,
       branches, runs, running, sets
