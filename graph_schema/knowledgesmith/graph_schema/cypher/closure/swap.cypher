// purpose: facts that follow from one new fact, its ends exchanged (inverse, symmetric) or kept (subrelations)
// params: graph_id, world, round, anchors, heads, lifts
// returns: subjects, heads, objects, rules, firsts
// access: read
//
// `heads` maps the type of a premise to rows [head type, rule] with exchanged ends, `lifts` to those with the same ends.
// A fact is new when it appeared in `round` (asserted facts: round 0). `anchors` are the subjects of the new facts. The
// facts come back as columns in one row.
UNWIND $anchors AS uid
MATCH (a:Entity {graph_id: $graph_id, uid: uid})
MATCH (a)-[f]->(b:Entity)
WHERE
  ($heads[type(f)] IS NOT NULL OR $lifts[type(f)] IS NOT NULL) AND
  (f.world IS NULL OR f.world = $world) AND
  coalesce(f.round, 0) = $round AND
  a <> b
UNWIND
  [head IN coalesce($heads[type(f)], []) | [b, a, head]] +
  [head IN coalesce($lifts[type(f)], []) | [a, b, head]] AS way
WITH way[0] AS s, way[1] AS o, way[2] AS head, min(f.fact_id) AS first
WITH s, o, head[0] AS type, min([head[1], first]) AS proof
WHERE
  NOT EXISTS {
    (s)-[known]->(o)
    WHERE type(known) = type AND (known.world IS NULL OR known.world = $world)
  }
RETURN
  collect(s.uid) AS subjects,
  collect(type) AS heads,
  collect(o.uid) AS objects,
  collect(proof[0]) AS rules,
  collect(proof[1]) AS firsts
