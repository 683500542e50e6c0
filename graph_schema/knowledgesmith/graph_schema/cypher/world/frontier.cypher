// purpose: one step of a breadth-first search over asserted facts, in both directions, from labelled entities
// params: graph_id, types, frontier
// returns: uid, label
// access: read
//
// The frontier is a list of [uid, label]; a neighbour gets the smallest label that reaches it.
UNWIND $frontier AS row
MATCH (a:Entity {graph_id: $graph_id, uid: row[0]})-[f]-(b:Entity)
WHERE type(f) IN $types AND f.derived IS NULL AND (f.world IS NULL OR f.world = 0)
RETURN b.uid AS uid, min(row[1]) AS label
