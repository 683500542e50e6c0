// purpose: a page of entities: which lack a property, or are retired and still have facts
// params: graph_id, after, limit
// returns: seen, last, findings
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
WITH e, CASE
  WHEN e.name IS NULL OR e.name = '' THEN 'no name'
  WHEN e.aliases IS NULL THEN 'no list of aliases'
  WHEN e.type IS NULL OR e.domain IS NULL THEN 'no type or domain'
  WHEN e.retired IS NULL THEN 'neither living nor retired'
  WHEN e.retired AND EXISTS { MATCH (e)-[f]-(:Entity) WHERE f.fact_id IS NOT NULL } THEN 'retired with facts'
END AS problem
RETURN count(e) AS seen, max(e.uid) AS last,
       collect(CASE WHEN problem IS NOT NULL
               THEN [e.uid, problem, 'name, type, domain, aliases, and no fact when retired'] END) AS findings
