// purpose: remove the head beliefs from every entity of a graph, before a replay
// params: graph_id
// returns: entities
// access: write
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.belief_run IS NOT NULL
WITH e ORDER BY e.uid
REMOVE e.belief, e.belief_prev, e.belief_delta, e.belief_run, e.belief_seq, e.belief_direct, e.belief_reverse,
       e.belief_multi_hop, e.belief_comparison, e.belief_contextual, e.belief_conflict
RETURN count(e) AS entities
