// purpose: a page of entities: how many ways of two facts lead through them, by the relations of the two
// params: graph_id, after, limit
// returns: seen, last, pairs
// access: read
//
// Pairs are [first type, second type, ways], to be summed. Ways back to their start are counted here too; they are
// the mirrored facts, which `mirrors` counts.
MATCH (b:Entity {graph_id: $graph_id})
WHERE b.uid > $after
WITH b ORDER BY b.uid LIMIT $limit
WITH collect(b) AS page, max(b.uid) AS last
CALL (page) {
  UNWIND page AS b
  CALL (b) {
    MATCH (b)<-[f]-(a:Entity)
    WHERE f.fact_id IS NOT NULL AND a <> b
    WITH type(f) AS kind, count(*) AS n
    RETURN collect([kind, n]) AS before
  }
  CALL (b) {
    MATCH (b)-[g]->(c:Entity)
    WHERE g.fact_id IS NOT NULL AND c <> b
    WITH type(g) AS kind, count(*) AS n
    RETURN collect([kind, n]) AS after
  }
  UNWIND before AS first
  UNWIND after AS second
  WITH first[0] AS one, second[0] AS two, sum(first[1] * second[1]) AS ways
  RETURN collect([one, two, ways]) AS pairs
}
RETURN size(page) AS seen, last, pairs
