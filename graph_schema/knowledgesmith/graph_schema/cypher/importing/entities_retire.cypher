// purpose: mark entities that the files no longer name; they stay readable for old interventions, outside the hierarchy
// params: graph_id, rows
// returns: retired
// access: write
UNWIND $rows AS row
MATCH (e)
WHERE elementId(e) = row AND e.graph_id = $graph_id
SET e.retired = true
REMOVE e.depth, e:Root:Intermediate
SET e:Leaf
RETURN count(e) AS retired
