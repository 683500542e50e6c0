// purpose: where an intervention stands, without what was asked and planned, which may be megabytes: read at every wake of a watch
// params: id
// returns: state, phase, attempt, planned_rows, written_rows, rolled_back_ms
// access: read
MATCH (i:Intervention {id: $id})
RETURN i.state AS state, i.phase AS phase, i.attempt AS attempt, coalesce(i.planned_rows, 0) AS planned_rows,
       coalesce(i.written_rows, 0) AS written_rows, i.rolled_back_at.epochMillis AS rolled_back_ms
