// purpose: a page of entities that carry head beliefs or should: their heads, and the ledger rows these follow from
// params: graph_id, after, limit, runs
// returns: seen, last, rows
// access: read
//
// `runs` are the interventions whose ledgers make up the heads. Rows are [uid, properties, ledger]; a ledger row is
// [run, sequence, kind, before, after, probes].
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
WITH e ORDER BY e.uid LIMIT $limit
CALL (e) {
  MATCH (e)<-[c:CHANGED]-(i:Intervention)
  WHERE i.id IN $runs
  RETURN collect([i.id, c.seq, c.kind, c.before, c.after, c.n]) AS ledger
}
WITH e, ledger, e {.belief, .belief_prev, .belief_delta, .belief_intervention, .belief_seq, .belief_direct, .belief_reverse,
                   .belief_multi_hop, .belief_comparison, .belief_contextual, .belief_conflict} AS heads
RETURN count(e) AS seen, max(e.uid) AS last,
       collect(CASE WHEN size(ledger) > 0 OR any(name IN keys(heads) WHERE heads[name] IS NOT NULL)
               THEN [e.uid, heads, ledger] END) AS rows
