// purpose: probes about a page of entities, with the probe sets that they are members of
// params: graph_id, after, limit
// returns: seen, last, rows
// access: read
//
// Rows are [uid, properties, ids of probe sets].
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
CALL (e) {
  MATCH (e)<-[:ABOUT]-(p:Probe)
  WITH e, p ORDER BY p.id
  RETURN collect([e.uid, p {.*}, COLLECT { MATCH (p)-[:MEMBER]->(s:ProbeSet) RETURN s.id ORDER BY s.id }]) AS probes
}
WITH e, probes ORDER BY e.uid
RETURN count(e) AS seen, max(e.uid) AS last, collect(CASE WHEN size(probes) > 0 THEN probes END) AS rows
