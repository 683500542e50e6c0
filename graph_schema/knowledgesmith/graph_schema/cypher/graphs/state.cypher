// purpose: digest, state and accepted traits of a graph; the digest is null before its first import is complete
// params: graph_id
// returns: digest, state, accepted
// access: read
MATCH (g:Graph {graph_id: $graph_id})
RETURN g.digest AS digest,
       CASE
         WHEN g.deleting_at IS NOT NULL THEN 'deleting'
         WHEN g.load_member IS NOT NULL THEN 'loading'
         ELSE coalesce(g.state, 'ready')
       END AS state,
       coalesce(g.accepted_traits, []) AS accepted
