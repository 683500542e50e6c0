// purpose: put derived facts into a transaction that will be rolled back
// params: graph_id, uids, blocks
// returns: placed
// access: write
//
// A block is [type, properties, subjects, objects, fact ids], the last three in step, subjects and objects as positions
// in `uids`: every entity stands in many facts, and is looked up once. A fact id may be null. Where an entity is missing
// nothing is written, and the count says so.
UNWIND range(0, size($uids) - 1) AS position
MATCH (n:Entity {graph_id: $graph_id, uid: $uids[position]})
WITH position, n
ORDER BY position
WITH collect(n) AS nodes
WHERE size(nodes) = size($uids)
UNWIND $blocks AS block
UNWIND range(0, size(block[2]) - 1) AS position
WITH block, position, nodes[block[2][position]] AS a, nodes[block[3][position]] AS b
CREATE (a)-[f:$(block[0])]->(b)
SET f = block[1], f.fact_id = block[4][position]
RETURN count(f) AS placed
