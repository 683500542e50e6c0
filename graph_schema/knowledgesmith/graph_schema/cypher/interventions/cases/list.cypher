// purpose: cases of a graph after an id, in the order of ids; an empty goal or family means any
// params: graph_id, after, goal, family, limit
// returns: properties
// access: read
MATCH (c:Case {graph_id: $graph_id})
WHERE c.id > $after
  AND ($goal = '' OR c.goal = $goal)
  AND ($family = '' OR $family IN c.families)
WITH c
ORDER BY c.id
LIMIT $limit
RETURN c {.*} AS properties
