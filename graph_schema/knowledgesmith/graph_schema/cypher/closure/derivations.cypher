// purpose: the facts of a closed world that can be premises of given facts: out of subjects, into objects, between both
// params: graph_id, world, room, firsts, seconds, subjects, objects, pairs
// returns: side, uid, other, facts
// access: read
//
// `firsts` and `seconds` are the types of first and second premises of chains; `pairs` are [uid, uid, types], facts
// between two entities of certain types. A fact is [type, uid of its other end, fact id, asserted, round]; only those of
// a round up to `room` come back. Every subject and object is read once, whatever the number of facts that share it: a
// look at each pair of facts would walk along hubs again and again.
CALL () {
  UNWIND $subjects AS uid
  MATCH (a:Entity {graph_id: $graph_id, uid: uid})-[f]->(m:Entity)
  WHERE
    type(f) IN $firsts AND (f.world IS NULL OR f.world = $world) AND coalesce(f.round, 0) <= $room AND m <> a
  RETURN
    'out' AS side,
    uid,
    '' AS other,
    collect([type(f), m.uid, f.fact_id, f.derived IS NULL, coalesce(f.round, 0)]) AS facts
  UNION ALL
  UNWIND $objects AS uid
  MATCH (m:Entity)-[f]->(c:Entity {graph_id: $graph_id, uid: uid})
  WHERE
    type(f) IN $seconds AND (f.world IS NULL OR f.world = $world) AND coalesce(f.round, 0) <= $room AND m <> c
  RETURN
    'in' AS side,
    uid,
    '' AS other,
    collect([type(f), m.uid, f.fact_id, f.derived IS NULL, coalesce(f.round, 0)]) AS facts
  UNION ALL
  UNWIND $pairs AS pair
  MATCH (a:Entity {graph_id: $graph_id, uid: pair[0]})
  MATCH (b:Entity {graph_id: $graph_id, uid: pair[1]})
  MATCH (a)-[f]->(b)
  WHERE type(f) IN pair[2] AND (f.world IS NULL OR f.world = $world) AND coalesce(f.round, 0) <= $room
  RETURN
    'between' AS side,
    pair[0] AS uid,
    pair[1] AS other,
    collect([type(f), b.uid, f.fact_id, f.derived IS NULL, coalesce(f.round, 0)]) AS facts
}
RETURN side, uid, other, facts
