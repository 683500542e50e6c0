// purpose: questions (?, r, o) with all their answers in one world for a block of objects, as one value
// params: graph_id, world, types, anchors
// returns: asked
// access: read
//
// `asked` holds for each anchor its uid, its questions and their context (none); a question is [relation type, answers,
// comparable (no)], the first two as in `reverse`.
UNWIND $anchors AS uid
MATCH (b:Entity)-[f]->(a:Entity {graph_id: $graph_id, uid: uid})
WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND a <> b
WITH a, type(f) AS relation, collect(DISTINCT b.uid) AS answers
WITH a, collect([relation, answers, false]) AS found
RETURN collect([a.uid, found, 'none']) AS asked
