// purpose: questions (?, r, o) with all their answers in one world for a block of objects, as one value
// params: graph_id, world, types, anchors
// returns: asked
// access: read
//
// `asked` holds pairs of an anchor and its questions; a question is [relation type, answers], as in `reverse`.
UNWIND $anchors AS uid
MATCH (b:Entity)-[f]->(a:Entity {graph_id: $graph_id, uid: uid})
WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND a <> b
WITH a, type(f) AS relation, collect(DISTINCT b.uid) AS answers
WITH a, collect([relation, answers]) AS found
RETURN collect([a.uid, found]) AS asked
