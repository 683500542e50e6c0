// purpose: questions (s, r, ?) that a change should leave alone, by how they relate to what is changed
// params: graph_id, world, types, anchors, subjects, relations, domains
// returns: anchor, questions
// access: read
//
// A question is [relation type, answers, context]. `subjects`, `relations` (types) and `domains` describe what is
// changed. Without any (a bulk run), a question counts as same_subject where its subject has another relation.
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
WITH a, collect([relation, answers]) AS found
UNWIND found AS question
WITH
  a,
  question,
  CASE
    WHEN $subjects IS NULL THEN CASE WHEN size(found) > 1 THEN 'same_subject' ELSE 'same_relation' END
    WHEN a.uid IN $subjects AND NOT question[0] IN $relations THEN 'same_subject'
    WHEN NOT a.uid IN $subjects AND question[0] IN $relations THEN 'same_relation'
    WHEN NOT a.domain IN $domains AND NOT a.uid IN $subjects THEN 'other_domain'
  END AS context
WHERE context IS NOT NULL
RETURN a.uid AS anchor, collect([question[0], question[1], context]) AS questions
