// purpose: statements (s, r, o), each judged true or false by itself in one world
// params: graph_id, world, types, anchors, statements
// returns: anchor, questions
// access: read
//
// A question is [relation type, object, holds]. `statements` are [subject, relation type, object]; without any, the
// facts of the anchors are the statements (null: of the whole graph).
CALL () {
  UNWIND CASE WHEN $statements IS NULL AND $anchors IS NULL THEN [true] ELSE [] END AS whole
  MATCH (a:Entity {graph_id: $graph_id})
  WHERE a.uid IS NOT NULL
  MATCH (a)-[f]->(b:Entity)
  WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND a <> b
  RETURN DISTINCT a, type(f) AS relation, b, true AS holds
  UNION ALL
  UNWIND CASE WHEN $statements IS NULL THEN coalesce($anchors, []) ELSE [] END AS uid
  MATCH (a:Entity {graph_id: $graph_id, uid: uid})-[f]->(b:Entity)
  WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND a <> b
  RETURN DISTINCT a, type(f) AS relation, b, true AS holds
  UNION ALL
  UNWIND coalesce($statements, []) AS statement
  MATCH (a:Entity {graph_id: $graph_id, uid: statement[0]})
  MATCH (b:Entity {graph_id: $graph_id, uid: statement[2]})
  RETURN
    a,
    statement[1] AS relation,
    b,
    EXISTS {
      (a)-[f]->(b)
      WHERE type(f) = statement[1] AND (f.world IS NULL OR f.world = $world)
    } AS holds
}
RETURN a.uid AS anchor, collect([relation, b.uid, holds]) AS questions
