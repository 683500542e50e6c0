// purpose: chains of two or three facts whose every step has one answer and whose ends no single fact connects, either way
// params: graph_id, world, forward, backward, final_forward, final_backward, anchors, far_reaching, types
// returns: found
// access: read
//
// `found` holds pairs of an anchor and its chains. A chain is its steps followed by the entities they lead to; a step is
// a relation type, with "~" in front where the fact is read from object to subject. The parameters name the types that
// may be read in each direction, for a step inside the chain and for the last one. Chains of three facts start at the
// anchors in `far_reaching`, of two at all of them; null means all. `types` are those of all facts: any may be
// the one that connects the ends.
CALL () {
  UNWIND CASE WHEN $anchors IS NULL THEN [true] ELSE [] END AS whole
  MATCH (a:Entity {graph_id: $graph_id})
  WHERE a.uid IS NOT NULL
  RETURN a
  UNION ALL
  UNWIND coalesce($anchors, []) AS uid
  MATCH (a:Entity {graph_id: $graph_id, uid: uid})
  RETURN a
}
CALL (a) {
  MATCH (a)-[f]->(b:Entity)
  WHERE type(f) IN $forward AND (f.world IS NULL OR f.world = $world) AND a <> b
  WITH type(f) AS step, collect(DISTINCT b) AS ends
  WHERE size(ends) = 1
  RETURN step AS s1, ends[0] AS b
  UNION ALL
  MATCH (b:Entity)-[f]->(a)
  WHERE type(f) IN $backward AND (f.world IS NULL OR f.world = $world) AND a <> b
  WITH '~' + type(f) AS step, collect(DISTINCT b) AS ends
  WHERE size(ends) = 1
  RETURN step AS s1, ends[0] AS b
}
// an entity that many anchors lead to is looked at once, which matters for those with thousands of facts
WITH b, collect([a, s1, $far_reaching IS NULL OR a.uid IN $far_reaching]) AS starts
CALL (b) {
  MATCH (b)-[f]->(c:Entity)
  WHERE (type(f) IN $forward OR type(f) IN $final_forward) AND (f.world IS NULL OR f.world = $world) AND b <> c
  WITH type(f) AS relation, collect(DISTINCT c) AS ends
  WHERE size(ends) = 1
  RETURN relation AS s2, ends[0] AS c, relation IN $forward AS goes_on, relation IN $final_forward AS may_end
  UNION ALL
  MATCH (c:Entity)-[f]->(b)
  WHERE (type(f) IN $backward OR type(f) IN $final_backward) AND (f.world IS NULL OR f.world = $world) AND b <> c
  WITH type(f) AS relation, collect(DISTINCT c) AS ends
  WHERE size(ends) = 1
  RETURN
    '~' + relation AS s2, ends[0] AS c, relation IN $backward AS goes_on, relation IN $final_backward AS may_end
}
WITH b, b.uid AS first, starts, s2, c, goes_on, may_end
UNWIND starts AS start
WITH start[0] AS a, start[1] AS s1, b, first, s2, c, goes_on AND start[2] AS goes_on, may_end
WHERE c <> a AND (goes_on OR may_end)
WITH c, collect([a, s1, b, first, s2, goes_on, may_end]) AS starts
CALL (c, starts) {
  WITH c, any(start IN starts WHERE start[5]) AS goes_on
  WHERE goes_on
  CALL (c) {
    MATCH (c)-[f]->(d:Entity)
    WHERE type(f) IN $final_forward AND (f.world IS NULL OR f.world = $world) AND c <> d
    WITH type(f) AS step, collect(DISTINCT d) AS ends
    WHERE size(ends) = 1
    RETURN step AS s3, ends[0] AS d
    UNION ALL
    MATCH (d:Entity)-[f]->(c)
    WHERE type(f) IN $final_backward AND (f.world IS NULL OR f.world = $world) AND c <> d
    WITH '~' + type(f) AS step, collect(DISTINCT d) AS ends
    WHERE size(ends) = 1
    RETURN step AS s3, ends[0] AS d
  }
  RETURN collect([s3, d, d.uid]) AS thirds
}
WITH c, c.uid AS second, starts, thirds
UNWIND starts AS start
// a third step of null is the chain that ends here
UNWIND CASE WHEN start[6] THEN [null] ELSE [] END + CASE WHEN start[5] THEN thirds ELSE [] END AS third
WITH start, start[0] AS a, start[2] AS b, second, third, coalesce(third[1], c) AS end
WHERE
  end <> a AND
  end <> b AND
  NOT EXISTS {
    (a)-[g]-(end)
    WHERE type(g) IN $types AND (g.world IS NULL OR g.world = $world)
  }
WITH
  a,
  collect(
    CASE
      WHEN third IS NULL THEN [start[1], start[4], start[3], second]
      ELSE [start[1], start[4], third[0], start[3], second, third[2]]
    END
  ) AS chains
RETURN collect([a.uid, chains]) AS found
