// purpose: interventions by state
// params:
// returns: state, goal, n
// access: read
MATCH (i:Intervention)
RETURN i.state AS state, i.goal AS goal, count(*) AS n
ORDER BY state, goal
