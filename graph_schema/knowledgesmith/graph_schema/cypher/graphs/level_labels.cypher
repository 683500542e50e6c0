// purpose: give every entity the one label of its level: Root, Intermediate or Leaf
// params: graph_id
// returns: changed
// access: write
MATCH (e:Entity {graph_id: $graph_id})
WITH e, CASE
  WHEN NOT EXISTS { (e)-[:HAS_CHILD]->() } THEN 'Leaf'
  WHEN EXISTS { (e)<-[:HAS_CHILD]-() } THEN 'Intermediate'
  ELSE 'Root'
END AS level
WHERE [label IN labels(e) WHERE label IN ['Root', 'Intermediate', 'Leaf']] <> [level]
REMOVE e:Root:Intermediate:Leaf
SET e:$(level)
RETURN count(e) AS changed
