// purpose: facts that follow from two facts in a row, at least one of them new (transitivity and composition)
// params: graph_id, world, round, anchors, seconds, firsts
// returns: subject, facts
// access: read
//
// `seconds` maps the type of the first premise to rows [type of the second, head type, rule]; `firsts` maps the type
// of the second premise to rows [type of the first, head type, rule]. The second branch pairs an old first premise
// with a new second one, so that no pair is joined twice.
CALL () {
  UNWIND CASE WHEN $anchors IS NULL THEN [true] ELSE [] END AS whole
  MATCH (n:Entity {graph_id: $graph_id})
  WHERE n.uid IS NOT NULL
  RETURN n
  UNION ALL
  UNWIND coalesce($anchors, []) AS uid
  MATCH (n:Entity {graph_id: $graph_id, uid: uid})
  RETURN n
}
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
WITH a, c, f, g, rule
WHERE
  NOT EXISTS {
    (a)-[known]->(c)
    WHERE type(known) = rule[1] AND (known.world IS NULL OR known.world = $world)
  }
WITH a, c, rule[1] AS head, rule[2] AS name, min([f.fact_id, g.fact_id]) AS premises
RETURN a.uid AS subject, collect([a.uid, head, c.uid, name, premises]) AS facts
