// purpose: record that a migration was applied
// params: version
// returns: version
// access: write
MERGE (s:KnowledgeSmithSchema {id: 1})
SET s.version = CASE WHEN coalesce(s.version, 0) < $version THEN $version ELSE s.version END, s.migrated_at = datetime()
RETURN s.version AS version
