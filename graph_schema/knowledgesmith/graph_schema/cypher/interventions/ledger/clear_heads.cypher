// purpose: remove the head beliefs from at most so many entities of a graph
// params: graph_id, limit
// returns: entities
// access: write
//
// It runs in a transaction that holds the lock on the graph.
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.belief_intervention IS NOT NULL
WITH e LIMIT $limit
WITH e ORDER BY e.uid
REMOVE e.belief, e.belief_prev, e.belief_delta, e.belief_intervention, e.belief_seq, e.belief_direct, e.belief_reverse,
       e.belief_multi_hop, e.belief_comparison, e.belief_contextual, e.belief_conflict
RETURN count(e) AS entities
