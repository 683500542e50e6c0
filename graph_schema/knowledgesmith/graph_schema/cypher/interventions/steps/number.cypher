// purpose: how many interventions there are
// params:
// returns: n
// access: read
MATCH (i:Intervention)
RETURN count(i) AS n
