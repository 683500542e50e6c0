// purpose: write the head beliefs of entities that an intervention changed, when its branch is the selected one
// params: id, uids
// returns: entities
// access: write
//
// `uids` are the entities of a batch that had rows before it. It starts from those entities, so that its price does not
// grow with the rows that are there already. Sums run in the order of the sequence and of the kinds, as those of
// `interventions/ledger/append` do, so that both agree to the last bit.
MATCH (i:Intervention {id: $id})
MATCH (g:Graph {graph_id: i.graph_id}) WHERE g.head_branch = i.branch_id
UNWIND $uids AS uid
MATCH (e:Entity {graph_id: i.graph_id, uid: uid})<-[c:CHANGED]-(i)
USING INDEX e:Entity(graph_id, uid)
WITH i, e, c
ORDER BY e.uid, c.seq
WITH i, e, c.kind AS kind, max(c.seq) AS seq,
     sum(CASE WHEN c.before IS NULL THEN 0 ELSE c.n END) AS n_before, sum(c.n * c.before) AS sum_before,
     sum(CASE WHEN c.after IS NULL THEN 0 ELSE c.n END) AS n_after, sum(c.n * c.after) AS sum_after
ORDER BY e.uid, kind
WITH i, e, max(seq) AS seq, collect({
  kind: kind,
  before: CASE WHEN n_before = 0 THEN null ELSE sum_before / n_before END,
  after: CASE WHEN n_after = 0 THEN null ELSE sum_after / n_after END}) AS kinds
WITH i, e, seq, kinds,
     head([k IN kinds WHERE k.kind = 'DIRECT' AND k.after IS NOT NULL]) AS direct,
     [k IN kinds WHERE k.before IS NOT NULL] AS known_before, [k IN kinds WHERE k.after IS NOT NULL] AS known_after
WITH i, e, seq, kinds,
     CASE WHEN direct IS NOT NULL THEN direct.before WHEN size(known_before) = 0 THEN null
          ELSE reduce(s = 0.0, k IN known_before | s + k.before) / size(known_before) END AS before,
     CASE WHEN direct IS NOT NULL THEN direct.after WHEN size(known_after) = 0 THEN null
          ELSE reduce(s = 0.0, k IN known_after | s + k.after) / size(known_after) END AS after
ORDER BY e.uid
SET e.belief = after, e.belief_prev = before, e.belief_delta = after - before,
    e.belief_intervention = i.id, e.belief_seq = seq,
    e.belief_direct = coalesce(head([k IN kinds WHERE k.kind = 'DIRECT' | k.after]), e.belief_direct),
    e.belief_reverse = coalesce(head([k IN kinds WHERE k.kind = 'REVERSE' | k.after]), e.belief_reverse),
    e.belief_multi_hop = coalesce(head([k IN kinds WHERE k.kind = 'MULTI_HOP' | k.after]), e.belief_multi_hop),
    e.belief_comparison = coalesce(head([k IN kinds WHERE k.kind = 'COMPARISON' | k.after]), e.belief_comparison),
    e.belief_contextual = coalesce(head([k IN kinds WHERE k.kind = 'CONTEXTUAL' | k.after]), e.belief_contextual),
    e.belief_conflict = coalesce(head([k IN kinds WHERE k.kind = 'CONFLICT' | k.after]), e.belief_conflict)
RETURN count(e) AS entities
