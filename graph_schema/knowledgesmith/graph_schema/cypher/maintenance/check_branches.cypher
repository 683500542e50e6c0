// purpose: branches of a graph, and what is wrong with the head of each
// params: graph_id
// returns: id, problem
// access: read
MATCH (b:Branch {graph_id: $graph_id})
WITH b, COUNT { (b)-[:HEAD]->(:Revision) } AS heads, COUNT { (b)-[:OF]->(:Model) } AS models
RETURN b.id AS id, CASE
  WHEN heads <> 1 THEN heads + ' heads'
  WHEN models <> 1 THEN models + ' models'
  WHEN NOT EXISTS { (b)-[:OF]->(:Model)-[:BASE]->(:Revision)<-[:PARENT*0..10000]-(:Revision)<-[:HEAD]-(b) }
  THEN 'a head that does not lead down to the base of its model'
END AS problem
ORDER BY id
