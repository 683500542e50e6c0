// purpose: the versions of a graph, newest first: what each import changed
// params: graph_id
// returns: number, digest, parent_digest, source, format, imported_ms, entities_created, entities_matched, entities_retired, facts_created, facts_matched, facts_removed, interventions
// access: read
//
// `interventions` are those that were planned on the facts of this version.
MATCH (g:Graph {graph_id: $graph_id})<-[:OF]-(v:GraphVersion)
RETURN v.number AS number, v.digest AS digest, coalesce(v.parent_digest, '') AS parent_digest,
       coalesce(v.source, '') AS source, coalesce(v.format, '') AS format, v.imported_at.epochMillis AS imported_ms,
       coalesce(v.entities_created, 0) AS entities_created, coalesce(v.entities_matched, 0) AS entities_matched,
       coalesce(v.entities_retired, 0) AS entities_retired, coalesce(v.facts_created, 0) AS facts_created,
       coalesce(v.facts_matched, 0) AS facts_matched, coalesce(v.facts_removed, 0) AS facts_removed,
       COUNT {
         MATCH (:Branch {graph_id: $graph_id})<-[:ON]-(i:Intervention)
         WHERE i.plan_graph_digest = v.digest
       } AS interventions
ORDER BY number DESC
