// purpose: one probe set
// params: id
// returns: properties
// access: read
MATCH (s:ProbeSet {id: $id})
RETURN s {.*, created_at: null} AS properties
