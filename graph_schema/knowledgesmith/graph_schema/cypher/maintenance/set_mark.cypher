// purpose: mark a probe set as being deleted
// params: id
// returns: digest, graph_id
// access: write
MATCH (s:ProbeSet {id: $id})
SET s.deleting_at = coalesce(s.deleting_at, datetime())
RETURN s.digest AS digest, s.graph_id AS graph_id
