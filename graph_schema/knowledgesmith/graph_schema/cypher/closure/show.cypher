// purpose: put derived facts that questions can see into a transaction that will be rolled back
// params: graph_id, uids, blocks
// returns: shown
// access: write
//
// A block is [type, properties, subjects, objects], the last two in step and as positions in `uids`: of a neighbourhood
// every entity stands in many facts, and is looked up once. Where one is missing nothing is written, and the count says so.
UNWIND range(0, size($uids) - 1) AS position
MATCH (n:Entity {graph_id: $graph_id, uid: $uids[position]})
WITH position, n
ORDER BY position
WITH collect(n) AS nodes
WHERE size(nodes) = size($uids)
UNWIND $blocks AS block
UNWIND range(0, size(block[2]) - 1) AS position
WITH block, nodes[block[2][position]] AS a, nodes[block[3][position]] AS b
CREATE (a)-[f:$(block[0])]->(b)
SET f = block[1]
RETURN count(f) AS shown
