// purpose: questions "which of two fits (s, r)?": what is true of the subject, and the type the false one must have
// params: graph_id, world, types, anchors
// returns: anchor, questions
// access: read
//
// A question is [relation type, answers, type of the answer]. A graph that has no second entity of that type offers
// nothing to compare with, so such questions are left out.
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
WITH a, type(f) AS relation, collect(DISTINCT b.uid) AS answers, min(b.type) AS kind
WHERE
  EXISTS {
    MATCH (other:Entity {graph_id: $graph_id, type: kind})
    WHERE NOT other.uid IN answers AND other <> a
  }
RETURN a.uid AS anchor, collect([relation, answers, kind]) AS questions
