// purpose: mark cases that an import found unchanged as seen by it
// params: graph_id, ids, stamp
// returns: marked
// access: write
UNWIND $ids AS id
MATCH (c:Case {graph_id: $graph_id, id: id})
SET c.stamp = $stamp
RETURN count(c) AS marked
