// purpose: queue an intervention on a branch
// params: branch_id, properties
// returns: id
// access: write
//
// The lock on the branch keeps a commit, a rollback or a deletion from moving the head before the intervention is there.
MATCH (b:Branch {id: $branch_id})
SET b.commits = coalesce(b.commits, 0) + 0
WITH b
MATCH (b)-[:HEAD]->(head:Revision)
CREATE (i:Intervention)
SET i = $properties, i.state = 'QUEUED', i.phase = '', i.attempt = 0, i.fence = 0, i.written_rows = 0,
    i.branch_id = b.id, i.graph_id = b.graph_id, i.base_revision = head.id, i.created_at = datetime()
CREATE (i)-[:ON]->(b)
RETURN i.id AS id
