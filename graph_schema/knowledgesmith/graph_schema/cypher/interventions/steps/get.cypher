// purpose: one intervention
// params: id
// returns: properties, created_ms, finished_ms, rolled_back_ms
// access: read
MATCH (i:Intervention {id: $id})
RETURN i {.*, created_at: null, finished_at: null, rolled_back_at: null} AS properties,
       i.created_at.epochMillis AS created_ms, i.finished_at.epochMillis AS finished_ms,
       i.rolled_back_at.epochMillis AS rolled_back_ms
