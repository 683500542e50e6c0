// purpose: the relation catalogue of a graph
// params: graph_id
// returns: name, rel_type, domain_type, range_type, functional, inverse_functional, symmetric, transitive, hierarchical, inverse_of, composed_of, compositions, sub_of, either_way, templates, corrections
// access: read
OPTIONAL MATCH (g:Graph {graph_id: $graph_id})
MATCH (r:Relation {graph_id: $graph_id})
WHERE r.name IS NOT NULL
RETURN r.name AS name, r.rel_type AS rel_type, r.domain_type AS domain_type, r.range_type AS range_type,
       r.functional AS functional, r.inverse_functional AS inverse_functional, r.symmetric AS symmetric,
       r.transitive AS transitive, r.hierarchical AS hierarchical, r.inverse_of AS inverse_of,
       r.composed_of AS composed_of, coalesce(r.compositions, []) AS compositions, coalesce(r.sub_of, []) AS sub_of,
       r.either_way AS either_way, r.templates AS templates,
       [text IN coalesce(g.corrected_wordings, []) WHERE text STARTS WITH r.name + '\u001f'] AS corrections
ORDER BY name
