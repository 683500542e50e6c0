// purpose: what is left of restoring the heads of a graph, under a lock that keeps it and the selected branch so
// params: graph_id
// returns: todo, after, failed
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.head_branch = g.head_branch
WITH g
RETURN coalesce(g.heads_todo, []) AS todo, coalesce(g.heads_after, 0) AS after,
       g.heads_failed IS NOT NULL AS failed
