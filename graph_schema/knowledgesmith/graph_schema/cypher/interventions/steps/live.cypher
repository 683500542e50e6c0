// purpose: interventions that have not ended
// params: states
// returns: id, state, goal
// access: read
MATCH (i:Intervention)
WHERE i.state IN $states
RETURN i.id AS id, i.state AS state, i.goal AS goal
ORDER BY id
