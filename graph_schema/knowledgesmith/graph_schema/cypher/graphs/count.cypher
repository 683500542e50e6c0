// purpose: how many entities of each level and domain, and how many facts, a graph has; retired entities are not counted
// params: graph_id
// returns: entities, facts
// access: read
MATCH (g:Graph {graph_id: $graph_id})
CALL (g) {
  MATCH (e:Entity {graph_id: g.graph_id}) WHERE NOT e.retired
  WITH head([label IN labels(e) WHERE label IN ['Root', 'Intermediate', 'Leaf']]) AS level, e.domain AS domain,
       count(*) AS n
  RETURN collect([level, domain, n]) AS entities
}
CALL (g) {
  MATCH (:Entity {graph_id: g.graph_id})-[f]->(:Entity) WHERE f.fact_id IS NOT NULL AND f.graph_id = g.graph_id
  RETURN count(f) AS facts
}
RETURN entities, facts
