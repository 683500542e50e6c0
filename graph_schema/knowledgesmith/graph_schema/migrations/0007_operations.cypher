// Long-running operations: found by name, by the request that began them, by age for listings, and those that have not
// ended at every start.
CREATE CONSTRAINT ks_operation_id IF NOT EXISTS FOR (n:Operation) REQUIRE n.id IS UNIQUE
;
CREATE CONSTRAINT ks_operation_request IF NOT EXISTS FOR (n:Operation) REQUIRE n.request_id IS UNIQUE
;
CREATE INDEX ks_operation_created IF NOT EXISTS FOR (n:Operation) ON (n.created_ms)
;
CREATE INDEX ks_operation_finished IF NOT EXISTS FOR (n:Operation) ON (n.finished_ms)
;
CREATE INDEX ks_operation_unfinished IF NOT EXISTS FOR (n:Operation) ON (n.home, n.state)
;
CALL db.awaitIndexes(120)
;
