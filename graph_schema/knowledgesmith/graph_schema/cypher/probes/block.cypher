// purpose: what is true of a block of subjects, with what the kinds that ask for an object need to know about it
// params: graph_id, world, types, anchors
// returns: asked
// access: read
//
// `asked` holds for each anchor its uid, its questions and their context; a question is [relation type, answers,
// comparable].
// One read for direct, contextual, comparison and conflict of a bulk run; what each kind asks is as its own file says:
// a question is compared where the graph has a second entity of the answers' type, every answer makes a true statement,
// and the context is same_subject where the subject has another relation. A test holds the answers against those files.
UNWIND $anchors AS uid
MATCH (a:Entity {graph_id: $graph_id, uid: uid})-[f]->(b:Entity)
WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND a <> b
WITH a, type(f) AS relation, collect(DISTINCT b.uid) AS answers, min(b.type) AS kind
WITH
  a,
  collect([
    relation,
    answers,
    EXISTS {
      MATCH (other:Entity {graph_id: $graph_id, type: kind})
      WHERE NOT other.uid IN answers AND other <> a
    }
  ]) AS found
RETURN
  collect([a.uid, found, CASE WHEN size(found) > 1 THEN 'same_subject' ELSE 'same_relation' END]) AS asked
