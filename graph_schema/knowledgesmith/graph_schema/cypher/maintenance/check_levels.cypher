// purpose: a page of entities: which do not carry exactly the one level label that HAS_CHILD gives them
// params: graph_id, after, limit
// returns: seen, last, findings
// access: read
//
// Findings are [uid, found, expected].
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
WITH e, [l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']] AS found, CASE
  WHEN NOT EXISTS { (e)-[:HAS_CHILD]->() } THEN 'Leaf'
  WHEN EXISTS { (e)<-[:HAS_CHILD]-() } THEN 'Intermediate'
  ELSE 'Root'
END AS expected
RETURN count(e) AS seen, max(e.uid) AS last,
       collect(CASE WHEN found <> [expected]
               THEN [e.uid, reduce(s = '', l IN found | s + ' ' + l), expected] END) AS findings
