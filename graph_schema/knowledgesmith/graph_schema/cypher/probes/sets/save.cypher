// purpose: record a probe set whose content lies in a file; of a set that is there, that it was generated or judged here
// params: id, properties
// returns: id
// access: write
MERGE (s:ProbeSet {id: $id})
ON CREATE SET s += $properties, s.created_at = datetime()
ON MATCH SET s.imported = coalesce(s.imported, false) AND $properties.imported
FOREACH (_ IN CASE WHEN $properties.guesses = '[]' THEN [] ELSE [1] END |
  SET s.guesses = $properties.guesses, s.left_out = $properties.left_out,
      s.fair = $properties.fair, s.unfair = $properties.unfair)
RETURN s.id AS id
