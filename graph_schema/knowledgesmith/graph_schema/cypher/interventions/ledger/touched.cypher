// purpose: entities of a range of a run's ledger, and how many rows there are behind its beginning
// params: id, after, limit
// returns: ahead, uids
// access: read
//
// Sequence numbers have no gaps: a batch is a range of the index, however long the ledger is. In the order of uid, so
// that writers who share some do not lock each other out.
OPTIONAL MATCH (i:Intervention {id: $id})
CALL () {
  MATCH ()-[c:CHANGED {intervention: $id}]->(e:Entity)
  WHERE c.seq > $after AND c.seq <= $after + $limit
  WITH DISTINCT e.uid AS uid ORDER BY uid
  RETURN collect(uid) AS uids
}
RETURN coalesce(i.written_rows, 0) - $after AS ahead, uids
