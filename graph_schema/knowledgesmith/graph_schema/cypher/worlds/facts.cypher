// purpose: all asserted facts of one world of a graph in blocks
// params: graph_id, world
// returns: subject, facts
// access: read
//
// A fact is [relationship type, object].
MATCH (a:Entity {graph_id: $graph_id})
WHERE a.uid IS NOT NULL
MATCH (a)-[f]->(b:Entity)
WHERE f.fact_id IS NOT NULL AND f.graph_id = $graph_id AND f.derived IS NULL AND coalesce(f.world, $world) = $world
RETURN a.uid AS subject, collect([type(f), b.uid]) AS facts
