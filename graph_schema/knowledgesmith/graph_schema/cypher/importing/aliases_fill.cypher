// purpose: give the entities of one page that have no list of aliases an empty one, as the bulk tool cannot write it
// params: graph_id, after, limit
// returns: last
// access: write
MATCH (e:Entity {graph_id: $graph_id})
USING INDEX e:Entity(graph_id, uid)
WHERE e.uid > $after
WITH e
ORDER BY e.uid
LIMIT $limit
WITH collect(e) AS page
CALL (page) {
  UNWIND page AS e
  WITH e
  WHERE e.aliases IS NULL
  SET e.aliases = []
}
RETURN page[-1].uid AS last
