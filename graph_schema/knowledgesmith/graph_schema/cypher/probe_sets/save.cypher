// purpose: record a probe set whose content lies in a file; of a set that is there only that it was generated here is new
// params: id, properties
// returns: id
// access: write
MERGE (s:ProbeSet {id: $id})
ON CREATE SET s += $properties, s.created_at = datetime()
ON MATCH SET s.imported = coalesce(s.imported, false) AND $properties.imported
RETURN s.id AS id
