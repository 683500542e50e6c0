// purpose: record a probe set whose content lies in a file; a second call changes nothing
// params: id, properties
// returns: id
// access: write
MERGE (s:ProbeSet {id: $id})
ON CREATE SET s += $properties, s.created_at = datetime()
RETURN s.id AS id
