// purpose: queue an intervention on a branch
// params: branch_id, properties
// returns: id
// access: write
MATCH (b:Branch {id: $branch_id})-[:HEAD]->(head:Revision)
CREATE (i:Intervention)
SET i = $properties, i.state = 'QUEUED', i.phase = '', i.attempt = 0, i.fence = 0, i.written_rows = 0,
    i.branch_id = b.id, i.graph_id = b.graph_id, i.base_revision = head.id, i.created_at = datetime()
CREATE (i)-[:ON]->(b)
RETURN i.id AS id
