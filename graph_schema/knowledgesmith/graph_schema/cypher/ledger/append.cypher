// purpose: append a batch of ledger rows under the fence; rows that are already there are passed over
// params: id, fence, rows
// returns: written
// access: write
//
// The lock on the graph keeps its selected branch as it is until the heads of these rows are written.
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i WHERE i.fence = $fence AND i.state = 'RUNNING'
MATCH (g:Graph {graph_id: i.graph_id})
SET g.head_branch = g.head_branch
WITH i
CALL (i) {
  UNWIND $rows AS row
  WITH i, row WHERE row.seq > i.written_rows
  MATCH (e:Entity {graph_id: i.graph_id, uid: row.entity})
  CREATE (i)-[c:CHANGED]->(e)
  SET c = row.properties, c.intervention = i.id, c.seq = row.seq
  RETURN count(c) AS created, max(row.seq) AS last
}
SET i.written_rows = coalesce(last, i.written_rows)
RETURN i.written_rows AS written
