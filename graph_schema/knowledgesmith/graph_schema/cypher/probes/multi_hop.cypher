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
CALL (a, b, s1) {
  WITH a, b, s1
  WHERE 2 IN $lengths
  CALL (b) {
    MATCH (b)-[f]->(c:Entity)
    WHERE type(f) IN $final_forward AND (f.world IS NULL OR f.world = $world) AND b <> c
    WITH [type(f), ''] AS step, collect(DISTINCT c) AS ends
    WHERE size(ends) = 1
    RETURN step AS s2, ends[0] AS c
    UNION ALL
    MATCH (c:Entity)-[f]->(b)
    WHERE type(f) IN $final_backward AND (f.world IS NULL OR f.world = $world) AND b <> c
    WITH [type(f), '~'] AS step, collect(DISTINCT c) AS ends
    WHERE size(ends) = 1
    RETURN step AS s2, ends[0] AS c
  }
  WITH a, b, s1, s2, c
  WHERE c <> a
  RETURN [s1, s2] AS steps, [b, c] AS nodes
  UNION ALL
  WITH a, b, s1
  WHERE 3 IN $lengths
  CALL (b) {
    MATCH (b)-[f]->(c:Entity)
    WHERE type(f) IN $forward AND (f.world IS NULL OR f.world = $world) AND b <> c
    WITH [type(f), ''] AS step, collect(DISTINCT c) AS ends
    WHERE size(ends) = 1
    RETURN step AS s2, ends[0] AS c
    UNION ALL
    MATCH (c:Entity)-[f]->(b)
    WHERE type(f) IN $backward AND (f.world IS NULL OR f.world = $world) AND b <> c
    WITH [type(f), '~'] AS step, collect(DISTINCT c) AS ends
    WHERE size(ends) = 1
    RETURN step AS s2, ends[0] AS c
  }
  WITH a, b, s1, s2, c
  WHERE c <> a
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
  WITH a, b, s1, s2, c, s3, d
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
