// purpose: the asserted facts of a page of subjects in the order of uids, as one block
// params: graph_id, after, limit
// returns: rows
// access: read
//
// Rows are [subject, facts], facts are [type, object, fact id, source, graph of the fact, graph of the object, mark].
// A mark stands on what only a plan's transaction may hold. Whatever leaves an entity and is neither a link of the
// hierarchy nor a fact comes too, so that a reader can tell it apart.
MATCH (s:Entity {graph_id: $graph_id})
WHERE s.uid > $after
WITH s ORDER BY s.uid LIMIT $limit
CALL (s) {
  MATCH (s)-[f]->(o)
  WHERE type(f) <> 'HAS_CHILD'
  RETURN collect([type(f), o.uid, f.fact_id, f.source, f.graph_id, o.graph_id,
                  f.derived IS NOT NULL OR f.world IS NOT NULL OR f.round IS NOT NULL]) AS facts
}
RETURN collect([s.uid, facts]) AS rows
