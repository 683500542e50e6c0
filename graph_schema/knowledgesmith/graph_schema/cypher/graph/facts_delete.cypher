// purpose: delete facts by element id, as read in the same transaction
// params: elements
// returns: deleted
// access: write
UNWIND $elements AS element
MATCH (:Entity)-[f]->(:Entity) WHERE elementId(f) = element AND f.fact_id IS NOT NULL
DELETE f
RETURN count(*) AS deleted
