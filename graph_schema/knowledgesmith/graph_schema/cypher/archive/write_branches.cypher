// purpose: the branches of a graph with their models and heads
// params: graph_id
// returns: properties, head, model, base
// access: read
MATCH (b:Branch {graph_id: $graph_id})-[:HEAD]->(head:Revision)
MATCH (b)-[:OF]->(m:Model)-[:BASE]->(base:Revision)
RETURN b {.*} AS properties, head.id AS head, m {.*} AS model, base.id AS base
ORDER BY properties.id
