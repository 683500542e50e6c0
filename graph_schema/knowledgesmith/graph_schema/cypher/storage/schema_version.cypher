// purpose: the schema version of this database; 0 when it was never migrated
// params:
// returns: version
// access: read
OPTIONAL MATCH (s:KnowledgeSmithSchema {id: 1})
RETURN coalesce(max(s.version), 0) AS version
