// The intervention that ended last: asked for again and again, to see whether those that ended are to be counted anew.
CREATE INDEX ks_intervention_finished IF NOT EXISTS FOR (n:Intervention) ON (n.finished_at)
;
CALL db.awaitIndexes(120)
;
