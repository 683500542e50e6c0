// purpose: where given chains lead in one world, and whether they are still proper questions there
// params: graph_id, world, types, chains
// returns: position, ends, nodes, unique, shortcut
// access: read
//
// A chain is [position, anchor, steps]; a step is [relation type, "" or "~"], two or three of them. `unique` says that
// no step had a second answer, `shortcut` that one fact connects the anchor with an end.
UNWIND $chains AS chain
WITH chain[0] AS position, chain[1] AS uid, chain[2] AS steps
MATCH (a:Entity {graph_id: $graph_id, uid: uid})
CALL (a, steps) {
  MATCH (a)-[f]-(b:Entity)
  WHERE
    type(f) = steps[0][0] AND
    (f.world IS NULL OR f.world = $world) AND
    ((steps[0][1] = '' AND startNode(f) = a) OR (steps[0][1] = '~' AND endNode(f) = a))
  RETURN collect(DISTINCT b) AS first
}
CALL (first, steps) {
  UNWIND first AS n
  MATCH (n)-[f]-(b:Entity)
  WHERE
    type(f) = steps[1][0] AND
    (f.world IS NULL OR f.world = $world) AND
    ((steps[1][1] = '' AND startNode(f) = n) OR (steps[1][1] = '~' AND endNode(f) = n))
  RETURN collect(DISTINCT b) AS second
}
CALL (second, steps) {
  UNWIND second AS n
  WITH n, steps
  WHERE size(steps) = 3
  MATCH (n)-[f]-(b:Entity)
  WHERE
    type(f) = steps[2][0] AND
    (f.world IS NULL OR f.world = $world) AND
    ((steps[2][1] = '' AND startNode(f) = n) OR (steps[2][1] = '~' AND endNode(f) = n))
  RETURN collect(DISTINCT b) AS third
}
WITH position, a, first, second, third, CASE WHEN size(steps) = 3 THEN third ELSE second END AS ends
RETURN
  position,
  [n IN ends | n.uid] AS ends,
  [n IN first + second + third | n.uid] AS nodes,
  size(first) <= 1 AND size(second) <= 1 AND size(third) <= 1 AND
  NOT a IN ends AND NOT a IN second AND NOT any(n IN first WHERE n IN ends) AS unique,
  EXISTS {
    (a)-[g]-(end)
    WHERE end IN ends AND type(g) IN $types AND (g.world IS NULL OR g.world = $world)
  } AS shortcut
