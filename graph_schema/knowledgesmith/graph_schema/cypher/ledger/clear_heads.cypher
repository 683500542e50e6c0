// purpose: remove the head beliefs from every entity of a graph, before a replay
// params: graph_id
// returns: entities
// access: write
//
// The lock on the graph keeps its selected branch as it is until the replay is done.
MATCH (g:Graph {graph_id: $graph_id})
SET g.head_branch = g.head_branch
WITH g
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.belief_run IS NOT NULL
WITH e ORDER BY e.uid
REMOVE e.belief, e.belief_prev, e.belief_delta, e.belief_run, e.belief_seq, e.belief_direct, e.belief_reverse,
       e.belief_multi_hop, e.belief_comparison, e.belief_contextual, e.belief_conflict
RETURN count(e) AS entities
