// purpose: where one claimed step leads from an entity, to judge chains by
// params: graph_id, world, rows
// returns: ends
// access: read
//
// Rows are [entity, type, backward]; `ends` holds for each row, in its order, at most two entities (none where the
// entity is missing). Independent of the query that made the chains: that one groups all facts of an entity by type and
// keeps the types with one answer; this one looks at the claimed type alone, once for all chains that take the step.
UNWIND range(0, size($rows) - 1) AS number
WITH number, $rows[number] AS row
OPTIONAL MATCH (entity:Entity {graph_id: $graph_id, uid: row[0]})
CALL (row, entity) {
  WITH row, entity
  WHERE NOT row[2]
  OPTIONAL MATCH (end:Entity)<-[f]-(entity)
  WHERE type(f) = row[1] AND coalesce(f.world, $world) = $world AND end <> entity
  // grouping by the entity keeps a step of the other direction from counting as one without facts
  WITH entity, collect(DISTINCT end.uid) AS found
  RETURN found
  UNION ALL
  WITH row, entity
  WHERE row[2]
  OPTIONAL MATCH (end:Entity)-[f]->(entity)
  WHERE type(f) = row[1] AND coalesce(f.world, $world) = $world AND end <> entity
  WITH entity, collect(DISTINCT end.uid) AS found
  RETURN found
}
WITH number, found
ORDER BY number
RETURN collect(found[..2]) AS ends
