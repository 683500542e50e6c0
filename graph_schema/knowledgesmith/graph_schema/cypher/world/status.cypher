// purpose: how given facts stand in one world: asserted, derived, or not at all
// params: graph_id, world, rows
// returns: position, known, asserted, derived
// access: read
//
// Rows are [position, subject, type, object]; `known` says that both entities exist.
UNWIND $rows AS row
OPTIONAL MATCH (a:Entity {graph_id: $graph_id, uid: row[1]})
OPTIONAL MATCH (b:Entity {graph_id: $graph_id, uid: row[3]})
RETURN
  row[0] AS position,
  a IS NOT NULL AND b IS NOT NULL AS known,
  EXISTS {
    (a)-[f]->(b)
    WHERE type(f) = row[2] AND f.derived IS NULL AND (f.world IS NULL OR f.world = $world)
  } AS asserted,
  EXISTS {
    (a)-[f]->(b)
    WHERE type(f) = row[2] AND f.derived AND (f.world IS NULL OR f.world = $world)
  } AS derived
