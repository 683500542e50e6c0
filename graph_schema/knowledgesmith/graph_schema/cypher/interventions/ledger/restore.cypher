// purpose: derive the heads of some entities from all ledgers that count; entities without rows in these have none
// params: graph_id, uids, order, afresh
// returns: entities
// access: write
//
// `order` has the runs whose ledgers count as keys and their places as values. Unless `afresh`, entities that have
// heads are passed over. The rows of one entity are read at a time. Of every kind the last run that measured it counts,
// of everything else the last run. The formula is that of `interventions/ledger/heads` and `interventions/ledger/append`, to the last bit.
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: $graph_id, uid: uid})
USING INDEX e:Entity(graph_id, uid)
WITH e WHERE $afresh OR e.belief_intervention IS NULL
CALL (e) {
  MATCH (e)<-[c:CHANGED]-()
  WITH c, $order[c.intervention] AS place WHERE place IS NOT NULL
  WITH c, place ORDER BY place, c.seq
  WITH place, c.intervention AS run, c.kind AS kind, max(c.seq) AS seq,
       sum(CASE WHEN c.before IS NULL THEN 0 ELSE c.n END) AS n_before, sum(c.n * c.before) AS sum_before,
       sum(CASE WHEN c.after IS NULL THEN 0 ELSE c.n END) AS n_after, sum(c.n * c.after) AS sum_after
  ORDER BY place, kind
  WITH place, run, max(seq) AS seq, collect({
    kind: kind,
    before: CASE WHEN n_before = 0 THEN null ELSE sum_before / n_before END,
    after: CASE WHEN n_after = 0 THEN null ELSE sum_after / n_after END}) AS kinds
  ORDER BY place
  WITH collect({run: run, seq: seq, kinds: kinds}) AS runs
  RETURN last(runs) AS latest,
         reduce(found = null, r IN runs | coalesce(head([k IN r.kinds WHERE k.kind = 'DIRECT' | k.after]), found))
           AS direct_belief,
         reduce(found = null, r IN runs | coalesce(head([k IN r.kinds WHERE k.kind = 'REVERSE' | k.after]), found))
           AS reverse_belief,
         reduce(found = null, r IN runs | coalesce(head([k IN r.kinds WHERE k.kind = 'MULTI_HOP' | k.after]), found))
           AS multi_hop_belief,
         reduce(found = null, r IN runs | coalesce(head([k IN r.kinds WHERE k.kind = 'COMPARISON' | k.after]), found))
           AS comparison_belief,
         reduce(found = null, r IN runs | coalesce(head([k IN r.kinds WHERE k.kind = 'CONTEXTUAL' | k.after]), found))
           AS contextual_belief,
         reduce(found = null, r IN runs | coalesce(head([k IN r.kinds WHERE k.kind = 'CONFLICT' | k.after]), found))
           AS conflict_belief
}
WITH *,
     head([k IN latest.kinds WHERE k.kind = 'DIRECT' AND k.after IS NOT NULL]) AS direct,
     [k IN latest.kinds WHERE k.before IS NOT NULL] AS known_before,
     [k IN latest.kinds WHERE k.after IS NOT NULL] AS known_after
WITH *,
     CASE WHEN direct IS NOT NULL THEN direct.before WHEN size(known_before) = 0 THEN null
          ELSE reduce(s = 0.0, k IN known_before | s + k.before) / size(known_before) END AS before,
     CASE WHEN direct IS NOT NULL THEN direct.after WHEN size(known_after) = 0 THEN null
          ELSE reduce(s = 0.0, k IN known_after | s + k.after) / size(known_after) END AS after
SET e.belief = after, e.belief_prev = before, e.belief_delta = after - before,
    e.belief_intervention = latest.run, e.belief_seq = latest.seq,
    e.belief_direct = direct_belief, e.belief_reverse = reverse_belief, e.belief_multi_hop = multi_hop_belief,
    e.belief_comparison = comparison_belief, e.belief_contextual = contextual_belief,
    e.belief_conflict = conflict_belief
RETURN count(e) AS entities
