// purpose: where asserted facts of some types lead from entities in one step, to judge options by reachability
// params: graph_id, world, uids, ahead, back
// returns: uid, ends
// access: read
//
// `ahead` are types that lead from the subject, `back` those that lead from the object. Derived facts are passed over: what
// they say is judged here and must not prove itself.
UNWIND $uids AS uid
MATCH (n:Entity {graph_id: $graph_id, uid: uid})
RETURN
  uid,
  COLLECT {
    MATCH (n)-[f]-(end:Entity)
    WHERE
      f.derived IS NULL AND
      coalesce(f.world, $world) = $world AND
      ((startNode(f) = n AND type(f) IN $ahead) OR (endNode(f) = n AND type(f) IN $back))
    RETURN DISTINCT end.uid
  } AS ends
