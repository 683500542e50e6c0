// purpose: operations of one home that have not ended, oldest first
// params: home
// returns: properties
// access: read
MATCH (o:Operation {home: $home, state: 'RUNNING'})
RETURN o {.*} AS properties
ORDER BY o.created_ms, o.id
