// purpose: give a page of head beliefs of an earlier release the name that the intervention behind them has today
// params: graph_id, limit
// returns: renamed
// access: write
//
// Again and again until none is left: each page is a transaction of its own. The index of that release finds those that
// are left, so that a page costs the same at the end as at the beginning.
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.belief_run IS NOT NULL
WITH e LIMIT $limit
SET e.belief_intervention = e.belief_run
REMOVE e.belief_run
RETURN count(e) AS renamed
