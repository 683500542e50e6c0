// purpose: move the place in restoring the heads of a graph on; without further steps the heads are whole
// params: graph_id, todo, after
// returns: graph_id
// access: write
MATCH (g:Graph {graph_id: $graph_id})
SET g.heads_todo = CASE WHEN size($todo) = 0 THEN null ELSE $todo END,
    g.heads_after = CASE WHEN size($todo) = 0 THEN null ELSE $after END
RETURN g.graph_id AS graph_id
