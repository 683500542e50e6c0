// purpose: questions (s, r, ?) with all their answers in one world
// params: graph_id, world, types, anchors
// returns: anchor, questions
// access: read
//
// A question is [relation type, answers]. `anchors` are the subjects to ask about, or null for the whole graph.
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
MATCH (a)-[f]->(b:Entity)
WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND a <> b
WITH a, type(f) AS relation, collect(DISTINCT b.uid) AS answers
RETURN a.uid AS anchor, collect([relation, answers]) AS questions
