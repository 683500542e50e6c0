// The head beliefs of an entity name the intervention that they come from by that word. Earlier releases called it a run;
// what they wrote is renamed before these statements, in bounded transactions.
CREATE INDEX ks_entity_graph_intervention IF NOT EXISTS FOR (n:Entity) ON (n.graph_id, n.belief_intervention)
;
DROP INDEX ks_entity_graph_run IF EXISTS
;
CALL db.awaitIndexes(120)
;
