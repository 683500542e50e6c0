// purpose: a graph with its counts; retired entities are not counted
// params: graph_id
// returns: graph_id, digest, source, head_branch, entities, facts, relations, incomplete
// access: read
MATCH (g:Graph {graph_id: $graph_id})
WHERE g.digest IS NOT NULL
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
RETURN g.graph_id AS graph_id, g.digest AS digest, g.source AS source, g.head_branch AS head_branch,
       entities, facts, COUNT { MATCH (r:Relation {graph_id: g.graph_id}) WHERE r.name IS NOT NULL } AS relations,
       coalesce(g.state, 'ready') <> 'ready' OR g.load_member IS NOT NULL OR g.deleting_at IS NOT NULL AS incomplete
