// purpose: append a batch of ledger rows under the fence, and write the heads of the entities that are new to the run
// params: id, fence, entities
// returns: graph_id, earlier, created, written, again, unsettled
// access: write
//
// `entities` are [uid, kinds, last sequence number] in the order of uid; `kinds` are [kind, rows] in the order of
// kind; rows are [seq, polarity, role, fact id, relation, before, after, new before, new after, delta, hops, nearest
// target, n, installed, not installed, erased, not erased, propagated, forgotten, missed, drifted, preserved, collateral,
// ineligible] in the order of seq. Rows that are there already are passed over.
//
// Heads that stand on an entity for this run say that it has rows of it from an earlier batch: those entities come
// back as `again`, and `interventions/ledger/heads` derives their heads from all rows. Of the others all rows are in this batch, so
// nothing is read to derive their heads; the formula is that of `interventions/ledger/heads`, to the last bit.
// The lock on the graph keeps its selected branch as it is until the heads of these rows are written. `unsettled` says
// that heads of the graph are to be restored first; what was written is then to be taken back. So it is where fewer rows
// were `created` than there are after the `earlier` ones: an entity is missing.
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i WHERE i.fence = $fence AND i.state = 'RUNNING'
MATCH (g:Graph {graph_id: i.graph_id})
SET g.head_branch = g.head_branch
WITH i, g.graph_id AS graph_id, coalesce(i.written_rows, 0) AS earlier, coalesce(g.head_branch = i.branch_id, false) AS selected,
     g.heads_todo IS NOT NULL AND g.heads_failed IS NULL AS unsettled
CALL (i, graph_id, earlier, selected) {
  UNWIND $entities AS entity
  MATCH (e:Entity {graph_id: graph_id, uid: entity[0]})
  USING INDEX e:Entity(graph_id, uid)
  WITH i, earlier, selected, entity, e, coalesce(e.belief_intervention = $id, false) AS known
  CALL (selected, entity, e, known) {
    WITH entity, e WHERE selected AND NOT known
    WITH entity, e, [kind IN entity[1] | {
      kind: kind[0],
      n_before: reduce(n = 0, row IN kind[1] | n + CASE WHEN row[5] IS NULL THEN 0 ELSE row[12] END),
      sum_before: reduce(s = 0.0, row IN kind[1] | s + coalesce(row[12] * row[5], 0.0)),
      n_after: reduce(n = 0, row IN kind[1] | n + CASE WHEN row[6] IS NULL THEN 0 ELSE row[12] END),
      sum_after: reduce(s = 0.0, row IN kind[1] | s + coalesce(row[12] * row[6], 0.0))}] AS sums
    WITH entity, e, [k IN sums | {
      kind: k.kind,
      before: CASE WHEN k.n_before = 0 THEN null ELSE k.sum_before / k.n_before END,
      after: CASE WHEN k.n_after = 0 THEN null ELSE k.sum_after / k.n_after END}] AS kinds
    WITH entity, e, kinds,
         head([k IN kinds WHERE k.kind = 'DIRECT' AND k.after IS NOT NULL]) AS direct,
         [k IN kinds WHERE k.before IS NOT NULL] AS known_before, [k IN kinds WHERE k.after IS NOT NULL] AS known_after
    WITH entity, e, kinds,
         CASE WHEN direct IS NOT NULL THEN direct.before WHEN size(known_before) = 0 THEN null
              ELSE reduce(s = 0.0, k IN known_before | s + k.before) / size(known_before) END AS before,
         CASE WHEN direct IS NOT NULL THEN direct.after WHEN size(known_after) = 0 THEN null
              ELSE reduce(s = 0.0, k IN known_after | s + k.after) / size(known_after) END AS after
    SET e.belief = after, e.belief_prev = before, e.belief_delta = after - before,
        e.belief_intervention = $id, e.belief_seq = entity[2],
        e.belief_direct = coalesce(head([k IN kinds WHERE k.kind = 'DIRECT' | k.after]), e.belief_direct),
        e.belief_reverse = coalesce(head([k IN kinds WHERE k.kind = 'REVERSE' | k.after]), e.belief_reverse),
        e.belief_multi_hop = coalesce(head([k IN kinds WHERE k.kind = 'MULTI_HOP' | k.after]), e.belief_multi_hop),
        e.belief_comparison = coalesce(head([k IN kinds WHERE k.kind = 'COMPARISON' | k.after]), e.belief_comparison),
        e.belief_contextual = coalesce(head([k IN kinds WHERE k.kind = 'CONTEXTUAL' | k.after]), e.belief_contextual),
        e.belief_conflict = coalesce(head([k IN kinds WHERE k.kind = 'CONFLICT' | k.after]), e.belief_conflict)
  }
  UNWIND entity[1] AS kind
  UNWIND kind[1] AS row
  WITH i, entity, e, selected AND known AS again, kind, row WHERE row[0] > earlier
  CREATE (i)-[:CHANGED {
    intervention: $id, seq: row[0], kind: kind[0], polarity: row[1], role: row[2], fact_id: row[3], relation: row[4],
    before: row[5], after: row[6], new_before: row[7], new_after: row[8], delta: row[9],
    hops: row[10], nearest_target: row[11], n: row[12],
    n_installed: row[13], n_not_installed: row[14], n_erased: row[15], n_not_erased: row[16],
    n_propagated: row[17], n_forgotten: row[18], n_missed: row[19], n_drifted: row[20],
    n_preserved: row[21], n_collateral: row[22], n_ineligible: row[23]}]->(e)
  RETURN max(row[0]) AS last, count(*) AS created, collect(DISTINCT CASE WHEN again THEN entity[0] END) AS again
}
SET i.written_rows = coalesce(last, i.written_rows)
RETURN graph_id, earlier, created, i.written_rows AS written, again, unsettled
