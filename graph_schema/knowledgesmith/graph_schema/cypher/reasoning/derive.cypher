// purpose: one round of forward chaining for given conclusions: what follows, in one world, about given subjects
// params: graph_id, world, round, chains, swaps, lifts
// returns: subject, facts
// access: read
//
// `chains` are rows [subject, rules], a rule is [type of the first premise, type of the second, head type, rule];
// `swaps` likewise with rules [premise type, head type, rule], the ends exchanged; `lifts` the same, the ends kept. At
// least one premise is of this round, none is later. A fact is [head type, object, rule, proof]; a proof is [fact id,
// type] of the one premise, [fact id, type, ''] where its ends are kept, or [fact id, fact id, type, entity between, type]
// of both, of several the smallest.
CALL () {
  UNWIND $chains AS row
  MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
  UNWIND row[1] AS rule
  MATCH (a)-[f]->(b:Entity)
  WHERE
    type(f) = rule[0] AND
    (f.world IS NULL OR f.world = $world) AND
    coalesce(f.round, 0) <= $round AND
    a <> b
  MATCH (b)-[g]->(c:Entity)
  WHERE
    type(g) = rule[1] AND
    (g.world IS NULL OR g.world = $world) AND
    coalesce(g.round, 0) <= $round AND
    (coalesce(f.round, 0) = $round OR coalesce(g.round, 0) = $round) AND
    b <> c AND
    a <> c
  RETURN a, c, rule[2] AS head, rule[3] AS name, [f.fact_id, g.fact_id, type(f), b.uid, type(g)] AS proof
  UNION ALL
  UNWIND $swaps AS row
  MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
  UNWIND row[1] AS rule
  MATCH (c:Entity)-[f]->(a)
  WHERE
    type(f) = rule[0] AND
    (f.world IS NULL OR f.world = $world) AND
    coalesce(f.round, 0) = $round AND
    a <> c
  RETURN a, c, rule[1] AS head, rule[2] AS name, [f.fact_id, type(f)] AS proof
  UNION ALL
  UNWIND $lifts AS row
  MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})
  UNWIND row[1] AS rule
  MATCH (a)-[f]->(c:Entity)
  WHERE
    type(f) = rule[0] AND
    (f.world IS NULL OR f.world = $world) AND
    coalesce(f.round, 0) = $round AND
    a <> c
  RETURN a, c, rule[1] AS head, rule[2] AS name, [f.fact_id, type(f), ''] AS proof
}
WITH a, c, head, name, min(proof) AS proof
WHERE
  NOT EXISTS {
    (a)-[known]->(c)
    WHERE type(known) = head AND (known.world IS NULL OR known.world = $world)
  }
RETURN a.uid AS subject, collect([head, c.uid, name, proof]) AS facts
