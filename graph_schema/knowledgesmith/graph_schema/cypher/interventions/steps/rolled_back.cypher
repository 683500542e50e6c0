// purpose: the revision that a rollback under this request id returned to, so that a repeated request moves nothing
// params: branch_id, request_id
// returns: revision_id
// access: read
MATCH (i:Intervention {branch_id: $branch_id, rollback_request: $request_id})
RETURN i.base_revision AS revision_id
