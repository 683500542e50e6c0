// purpose: as what each entity stands in facts: relations that have it as subject, and as object, in one world
// params: graph_id, world, types, anchors
// returns: anchor, as_subject, as_object
// access: read
UNWIND $anchors AS uid
MATCH (n:Entity {graph_id: $graph_id, uid: uid})
RETURN
  uid AS anchor,
  COLLECT {
    MATCH (n)-[f]->(b:Entity)
    WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND n <> b
    RETURN DISTINCT type(f)
  } AS as_subject,
  COLLECT {
    MATCH (a:Entity)-[f]->(n)
    WHERE type(f) IN $types AND (f.world IS NULL OR f.world = $world) AND n <> a
    RETURN DISTINCT type(f)
  } AS as_object
