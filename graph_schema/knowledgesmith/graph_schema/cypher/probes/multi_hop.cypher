// purpose: chains of two or three facts whose every step has one answer and whose ends no single fact connects
// params: graph_id, world, forward, backward, final_forward, final_backward, anchors, lengths
// returns: anchor, chains
// access: read
//
// A chain is [steps, nodes]; a step is [relation type, "" or "~"], "~" reading the fact from object to subject. The
// parameters name the types that may be read in each direction, for a step inside the chain and for the last one.
CALL () {
  UNWIND CASE WHEN $anchors IS NULL THEN [true] ELSE [] END AS whole
  MATCH (a:Entity {graph_id: $graph_id})
  WHERE a.uid IS NOT NULL
  RETURN a
  UNION ALL
  UNWIND coalesce($anchors, []) AS uid
  MATCH (a:Entity {graph_id: $graph_id, uid: uid})
  RETURN a
}
CALL (a) {
  MATCH (a)-[f]->(b:Entity)
  WHERE type(f) IN $forward AND (f.world IS NULL OR f.world = $world) AND a <> b
  WITH [type(f), ''] AS step, collect(DISTINCT b) AS ends
  WHERE size(ends) = 1
  RETURN step AS s1, ends[0] AS b
  UNION ALL
  MATCH (b:Entity)-[f]->(a)
  WHERE type(f) IN $backward AND (f.world IS NULL OR f.world = $world) AND a <> b
  WITH [type(f), '~'] AS step, collect(DISTINCT b) AS ends
  WHERE size(ends) = 1
  RETURN step AS s1, ends[0] AS b
}
// an entity that many anchors lead to is looked at once, which matters for those with thousands of facts
WITH b, collect([a, s1]) AS starts
CALL (b) {
  MATCH (b)-[f]->(c:Entity)
  WHERE (type(f) IN $forward OR type(f) IN $final_forward) AND (f.world IS NULL OR f.world = $world) AND b <> c
  WITH [type(f), ''] AS step, collect(DISTINCT c) AS ends
  WHERE size(ends) = 1
  RETURN step AS s2, ends[0] AS c
  UNION ALL
  MATCH (c:Entity)-[f]->(b)
  WHERE (type(f) IN $backward OR type(f) IN $final_backward) AND (f.world IS NULL OR f.world = $world) AND b <> c
  WITH [type(f), '~'] AS step, collect(DISTINCT c) AS ends
  WHERE size(ends) = 1
  RETURN step AS s2, ends[0] AS c
}
UNWIND starts AS start
WITH start[0] AS a, start[1] AS s1, b, s2, c
WHERE c <> a
WITH c, collect([a, s1, b, s2]) AS starts
CALL (c) {
  WITH c
  WHERE 3 IN $lengths
  CALL (c) {
    MATCH (c)-[f]->(d:Entity)
    WHERE type(f) IN $final_forward AND (f.world IS NULL OR f.world = $world) AND c <> d
    WITH [type(f), ''] AS step, collect(DISTINCT d) AS ends
    WHERE size(ends) = 1
    RETURN step AS s3, ends[0] AS d
    UNION ALL
    MATCH (d:Entity)-[f]->(c)
    WHERE type(f) IN $final_backward AND (f.world IS NULL OR f.world = $world) AND c <> d
    WITH [type(f), '~'] AS step, collect(DISTINCT d) AS ends
    WHERE size(ends) = 1
    RETURN step AS s3, ends[0] AS d
  }
  RETURN collect([s3, d]) AS thirds
}
UNWIND starts AS start
WITH start[0] AS a, start[1] AS s1, start[2] AS b, start[3] AS s2, c, thirds
CALL (a, s1, b, s2, c, thirds) {
  WITH s1, b, s2, c
  WHERE 2 IN $lengths AND CASE s2[1] WHEN '' THEN s2[0] IN $final_forward ELSE s2[0] IN $final_backward END
  RETURN [s1, s2] AS steps, [b, c] AS nodes
  UNION ALL
  WITH a, s1, b, s2, c, thirds
  WHERE CASE s2[1] WHEN '' THEN s2[0] IN $forward ELSE s2[0] IN $backward END
  UNWIND thirds AS third
  WITH s1, b, s2, c, third[0] AS s3, third[1] AS d, a
  WHERE d <> a AND d <> b
  RETURN [s1, s2, s3] AS steps, [b, c, d] AS nodes
}
WITH a, steps, nodes, nodes[-1] AS end
WHERE
  NOT EXISTS {
    (a)-[g]->(end)
    WHERE (type(g) IN $forward OR type(g) IN $final_forward) AND (g.world IS NULL OR g.world = $world)
  }
RETURN a.uid AS anchor, collect([steps, [n IN nodes | n.uid]]) AS chains
