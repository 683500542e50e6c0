// purpose: note accepted traits on a graph, and write a new version where facts were taken away
// params: graph_id, accepted, digest, removed
// returns: version
// access: write
//
// `accepted_at` is part of the graph's stamp: closed worlds of the old catalogue are not used any more.
MATCH (g:Graph {graph_id: $graph_id})
WITH g, g.digest AS parent
OPTIONAL MATCH (old:GraphVersion)-[:OF]->(g)
WITH g, parent, coalesce(max(old.number), 0) AS last
SET g.accepted_traits = $accepted, g.accepted_at = datetime.realtime(), g.digest = $digest
WITH g, parent, last
CALL (g, parent, last) {
  WITH g, parent, last
  WHERE $removed > 0
  CREATE (v:GraphVersion {graph_id: $graph_id, number: last + 1, digest: $digest, parent_digest: parent,
                          source: 'accepted traits', format: '', imported_at: datetime(),
                          entities_created: 0, entities_matched: COUNT { (:Entity {graph_id: $graph_id, retired: false}) },
                          entities_retired: 0, entities_changed: 0, facts_created: 0,
                          facts_matched: COUNT { MATCH (:Entity {graph_id: $graph_id})-[f]->(:Entity)
                                                 WHERE f.fact_id IS NOT NULL AND f.graph_id = $graph_id },
                          facts_removed: $removed})-[:OF]->(g)
  RETURN count(v) AS written
}
RETURN last + written AS version
