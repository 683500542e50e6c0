// purpose: the head of a stored plan and its targets
// params: id
// returns: graph_id, graph_digest, stamp, world, branch_id, goal, seed, overlay, derived, cited, cut, inserted, names, digest, verdict_scheme, warnings, targets
// access: read
MATCH (i:Intervention {id: $id})
OPTIONAL MATCH (i)-[t:TARGETS]->(e:Entity)
WITH i, t, e
ORDER BY t.position
RETURN
  i.plan_graph AS graph_id,
  i.plan_graph_digest AS graph_digest,
  i.plan_stamp AS stamp,
  i.plan_world AS world,
  i.plan_branch AS branch_id,
  i.plan_goal AS goal,
  i.plan_seed AS seed,
  i.overlay AS overlay,
  i.derived AS derived,
  i.cited AS cited,
  i.cut AS cut,
  i.inserted AS inserted,
  i.plan_names AS names,
  i.plan_digest AS digest,
  coalesce(i.verdict_scheme, 1) AS verdict_scheme,
  i.plan_warnings AS warnings,
  collect(CASE WHEN e IS NOT NULL THEN [e.uid, t.relation, t.old_object, t.new_object] END) AS targets
