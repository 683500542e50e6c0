// purpose: a page of entities: where HAS_CHILD and the hierarchical facts above them do not say the same
// params: graph_id, after, limit, to_parent, to_child
// returns: seen, last, findings
// access: read
//
// Findings are [uid, found, expected] of the child: numbers of links from parents, and of parents by facts.
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
CALL (e) {
  MATCH (p)-[:HAS_CHILD]->(e)
  RETURN collect(elementId(p)) AS linked
}
CALL (e) {
  CALL (e) {
    MATCH (e)-[f]->(p:Entity)
    WHERE type(f) IN $to_parent AND f.fact_id IS NOT NULL AND p <> e
    RETURN p
    UNION
    MATCH (p:Entity)-[f]->(e)
    WHERE type(f) IN $to_child AND f.fact_id IS NOT NULL AND p <> e
    RETURN p
  }
  RETURN collect(elementId(p)) AS stated
}
WITH e, linked, stated,
     size(linked) = size(stated) AND all(p IN stated WHERE p IN linked) AND all(p IN linked WHERE p IN stated) AS same
RETURN count(e) AS seen, max(e.uid) AS last,
       collect(CASE WHEN NOT same
               THEN [e.uid, size(linked) + ' links', size(stated) + ' parents by facts'] END) AS findings
