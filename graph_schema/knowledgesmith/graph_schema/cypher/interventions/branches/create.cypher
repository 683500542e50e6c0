// purpose: open a branch on a model's base revision for a graph; the first branch of a graph is its selected one
// params: id, model_id, graph_id, select
// returns: id, selected
// access: write
MATCH (m:Model {id: $model_id})-[:BASE]->(base:Revision)
MATCH (g:Graph {graph_id: $graph_id})
CREATE (b:Branch {id: $id, graph_id: $graph_id, model_id: $model_id, created_at: datetime()})
CREATE (b)-[:OF]->(m)
CREATE (b)-[:HEAD]->(base)
SET g.head_branch = CASE WHEN $select OR g.head_branch IS NULL THEN $id ELSE g.head_branch END
RETURN b.id AS id, g.head_branch = $id AS selected
