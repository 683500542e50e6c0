// purpose: how often each entity is an object, and a subject, of each relation in one world
// params: graph_id, world, types, anchors
// returns: known
// access: read
//
// `known` holds for each entity its uid, and as object and as subject pairs of relation type and number of entities at
// the other end.
UNWIND $anchors AS uid
MATCH (n:Entity {graph_id: $graph_id, uid: uid})
WITH
  uid,
  COLLECT {
    MATCH (n)<-[f]-(a:Entity)
    WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND n <> a
    WITH type(f) AS relation, count(DISTINCT a) AS many
    RETURN [relation, many]
  } AS as_object,
  COLLECT {
    MATCH (n)-[f]->(b:Entity)
    WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND n <> b
    WITH type(f) AS relation, count(DISTINCT b) AS many
    RETURN [relation, many]
  } AS as_subject
RETURN collect([uid, as_object, as_subject]) AS known
