// purpose: facts that follow from one new fact by exchanging its ends (inverse and symmetric relations)
// params: graph_id, world, round, anchors, heads
// returns: subjects, heads, objects, rules, firsts
// access: read
//
// `heads` maps the type of a premise to rows [head type, rule]. A fact is new when it appeared in `round` (asserted
// facts: round 0). `anchors` are the subjects of the new facts. The facts come back as columns in one row.
UNWIND $anchors AS uid
MATCH (a:Entity {graph_id: $graph_id, uid: uid})
MATCH (a)-[f]->(b:Entity)
WHERE
  $heads[type(f)] IS NOT NULL AND
  (f.world IS NULL OR f.world = $world) AND
  coalesce(f.round, 0) = $round AND
  a <> b
UNWIND $heads[type(f)] AS head
WITH a, b, f, head
WHERE
  NOT EXISTS {
    (b)-[known]->(a)
    WHERE type(known) = head[0] AND (known.world IS NULL OR known.world = $world)
  }
RETURN
  collect(b.uid) AS subjects,
  collect(head[0]) AS heads,
  collect(a.uid) AS objects,
  collect(head[1]) AS rules,
  collect(f.fact_id) AS firsts
