// purpose: make an imported graph usable, and write its new version where anything changed
// params: graph_id, owner, digest, source, format, totals, changed
// returns: number
// access: write
//
// totals are the graph's entities and facts. The counters of the import are entities created, retired, changed, facts
// created, removed and re-sourced, over all attempts at it; what an attempt with other files created and this one removed
// again is in both, so nothing may be left to be matched. The time of the last change is part of the graph's stamp.
MATCH (g:Graph {graph_id: $graph_id})
SET g.imports = g.imports + 0
WITH g
WHERE g.import_owner = $owner
WITH g, g.digest AS parent, coalesce(g.import_counts, [0, 0, 0, 0, 0, 0]) AS counts
WITH g, parent, counts, parent IS NULL OR parent <> $digest OR $changed OR any(n IN counts WHERE n > 0) AS changed
OPTIONAL MATCH (old:GraphVersion)-[:OF]->(g)
WITH g, parent, counts, changed, coalesce(max(old.number), 0) AS last
SET g.changed_at = CASE WHEN changed THEN datetime() ELSE coalesce(g.changed_at, g.imported_at) END
SET g.digest = $digest, g.source = $source, g.imported_at = datetime(), g.state = 'ready'
REMOVE g.import_counts
WITH g, parent, counts, changed, last
CALL (g, parent, counts, changed, last) {
  WITH g, parent, counts, last, changed, $totals[0] - counts[0] AS entities, $totals[1] - counts[3] AS facts
  WHERE changed
  CREATE (v:GraphVersion {graph_id: $graph_id, number: last + 1, digest: $digest, parent_digest: parent,
                          source: $source, format: $format, imported_at: datetime(),
                          entities_created: counts[0], entities_matched: CASE WHEN entities > 0 THEN entities ELSE 0 END,
                          entities_retired: counts[1], entities_changed: counts[2],
                          facts_created: counts[3], facts_matched: CASE WHEN facts > 0 THEN facts ELSE 0 END,
                          facts_removed: counts[4]})-[:OF]->(g)
  RETURN count(v) AS written
}
RETURN last + written AS number
