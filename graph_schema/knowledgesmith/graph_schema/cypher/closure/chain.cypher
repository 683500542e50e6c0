// purpose: facts that follow from two facts in a row, at least one of them new (transitivity and composition)
// params: graph_id, world, round, anchors, seconds, firsts
// returns: subjects, heads, objects, rules, firsts, seconds
// access: read
//
// `anchors` are subjects of new facts. `seconds` maps the type of the first premise to rows [type of the second, head
// type, rule]; `firsts` maps the type of the second premise to rows [type of the first, head type, rule]. The second
// branch pairs an old first premise with a new second one, so that no pair is joined twice. Whether a conclusion is known
// already is asked once for all pairs that lead to it: in a deep hierarchy there are many. The facts come back
// as columns in one row: every row, and every list in one, costs the driver more than reading it costs the database.
UNWIND $anchors AS uid
MATCH (n:Entity {graph_id: $graph_id, uid: uid})
CALL (n) {
  MATCH (n)-[f]->(b:Entity)
  WHERE
    $seconds[type(f)] IS NOT NULL AND
    (f.world IS NULL OR f.world = $world) AND
    coalesce(f.round, 0) = $round AND
    n <> b
  UNWIND $seconds[type(f)] AS rule
  MATCH (b)-[g]->(c:Entity)
  WHERE
    type(g) = rule[0] AND
    (g.world IS NULL OR g.world = $world) AND
    coalesce(g.round, 0) <= $round AND
    b <> c AND
    n <> c
  RETURN n AS a, c, f, g, rule
  UNION ALL
  MATCH (n)-[g]->(c:Entity)
  WHERE
    $firsts[type(g)] IS NOT NULL AND
    $round > 0 AND
    (g.world IS NULL OR g.world = $world) AND
    coalesce(g.round, 0) = $round AND
    n <> c
  UNWIND $firsts[type(g)] AS rule
  MATCH (a:Entity)-[f]->(n)
  WHERE
    type(f) = rule[0] AND
    (f.world IS NULL OR f.world = $world) AND
    coalesce(f.round, 0) < $round AND
    a <> n AND
    a <> c
  RETURN a, c, f, g, rule
}
WITH a, c, rule[1] AS head, rule[2] AS name, min([f.fact_id, g.fact_id]) AS premises
WHERE
  NOT EXISTS {
    (a)-[known]->(c)
    WHERE type(known) = head AND (known.world IS NULL OR known.world = $world)
  }
RETURN
  collect(a.uid) AS subjects,
  collect(head) AS heads,
  collect(c.uid) AS objects,
  collect(name) AS rules,
  collect(premises[0]) AS firsts,
  collect(premises[1]) AS seconds
