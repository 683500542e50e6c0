// purpose: a page of entities: probes about them that no plan and no probe set holds
// params: graph_id, after, limit
// returns: seen, last, findings
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
CALL (e) {
  MATCH (e)<-[:ABOUT]-(p:Probe)
  WHERE NOT EXISTS { (p)<-[:PLANNED]-() } AND NOT EXISTS { (p)-[:MEMBER]->() }
  RETURN collect([p.id, 'held by nothing', 'planned, or member of a probe set']) AS loose
}
WITH e, loose
RETURN count(e) AS seen, max(e.uid) AS last,
       reduce(all = [], l IN collect(CASE WHEN size(loose) > 0 THEN loose END) | all + l) AS findings
