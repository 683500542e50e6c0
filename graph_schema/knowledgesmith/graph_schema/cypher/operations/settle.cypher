// purpose: after a server's end, let go of what it worked on; where nobody ended it in good order, count the crash
// params: home, crashed
// returns: id
// access: write
//
// Only crashes at one stage are counted together: what comes further every time is not what ends the server.
MATCH (o:Operation {home: $home, state: 'RUNNING'})
WHERE o.held
WITH o, CASE WHEN $crashed THEN coalesce(o.crash_stages, []) + [o.stage] ELSE [] END AS stages
SET o.held = false, o.crash_stages = stages, o.crashes = size([stage IN stages WHERE stage = o.stage])
RETURN o.id AS id
