// The base: what is unique, and what is looked up. Statements end with a line that holds only a semicolon.
// Node keys and existence rules need another edition of Neo4j; the importer enforces them.
CREATE CONSTRAINT ks_schema_id IF NOT EXISTS FOR (n:KnowledgeSmithSchema) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_graph_id IF NOT EXISTS FOR (n:Graph) REQUIRE n.graph_id IS UNIQUE
;
CREATE CONSTRAINT ks_entity_uid IF NOT EXISTS FOR (n:Entity) REQUIRE (n.graph_id, n.uid) IS UNIQUE
;
CREATE CONSTRAINT ks_relation_name IF NOT EXISTS FOR (n:Relation) REQUIRE (n.graph_id, n.name) IS UNIQUE
;
CREATE CONSTRAINT ks_intervention_id IF NOT EXISTS FOR (n:Intervention) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_intervention_request IF NOT EXISTS FOR (n:Intervention) REQUIRE n.request_id IS UNIQUE
;
CREATE CONSTRAINT ks_branch_id IF NOT EXISTS FOR (n:Branch) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_revision_id IF NOT EXISTS FOR (n:Revision) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_model_id IF NOT EXISTS FOR (n:Model) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_probe_id IF NOT EXISTS FOR (n:Probe) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_probe_set_id IF NOT EXISTS FOR (n:ProbeSet) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_changed_seq IF NOT EXISTS FOR ()-[c:CHANGED]-() REQUIRE (c.intervention, c.seq) IS UNIQUE
;
CREATE INDEX ks_entity_graph IF NOT EXISTS FOR (n:Entity) ON (n.graph_id)
;
CREATE INDEX ks_entity_depth IF NOT EXISTS FOR (n:Entity) ON (n.graph_id, n.depth)
;
CREATE INDEX ks_entity_name IF NOT EXISTS FOR (n:Entity) ON (n.graph_id, n.name)
;
CREATE INDEX ks_entity_type IF NOT EXISTS FOR (n:Entity) ON (n.graph_id, n.type)
;
CREATE INDEX ks_entity_belief_run IF NOT EXISTS FOR (n:Entity) ON (n.belief_run)
;
CREATE INDEX ks_intervention_state IF NOT EXISTS FOR (n:Intervention) ON (n.state)
;
CREATE INDEX ks_intervention_branch IF NOT EXISTS FOR (n:Intervention) ON (n.branch_id)
;
CREATE INDEX ks_branch_graph IF NOT EXISTS FOR (n:Branch) ON (n.graph_id)
;
CREATE INDEX ks_probe_set_graph IF NOT EXISTS FOR (n:ProbeSet) ON (n.graph_id)
;
CALL db.awaitIndexes(120)
;
