// What a check of a graph, a deletion and a replay look up: interventions by graph, whatever names an artefact or a
// file, and the head beliefs of one graph, which were found among those of all graphs before.
CREATE INDEX ks_intervention_graph IF NOT EXISTS FOR (n:Intervention) ON (n.graph_id)
;
CREATE INDEX ks_intervention_artefact IF NOT EXISTS FOR (n:Intervention) ON (n.artefact_sha256)
;
CREATE INDEX ks_revision_artefact IF NOT EXISTS FOR (n:Revision) ON (n.artefact_sha256)
;
CREATE INDEX ks_probe_set_digest IF NOT EXISTS FOR (n:ProbeSet) ON (n.digest)
;
CREATE INDEX ks_entity_graph_run IF NOT EXISTS FOR (n:Entity) ON (n.graph_id, n.belief_run)
;
DROP INDEX ks_entity_belief_run IF EXISTS
;
CALL db.awaitIndexes(120)
;
