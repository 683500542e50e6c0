// purpose: say that all heads of a graph are to be restored from the ledgers of its selected branch
// params: graph_id
// returns: steps
// access: write
//
// What was left of an earlier replay is part of this one. The ledgers are those of `interventions/ledger/replay_order`; rows that a
// run writes later come with their heads.
MATCH (g:Graph {graph_id: $graph_id})
SET g.head_branch = g.head_branch
WITH g
CALL (g) {
  MATCH (b:Branch {id: g.head_branch})<-[:ON]-(i:Intervention)
  WHERE (i.state = 'SUCCEEDED' AND i.rolled_back_at IS NULL)
     OR (i.state IN ['RUNNING', 'AWAITING_DECISION', 'COMMITTING'] AND i.written_rows > 0)
  WITH i ORDER BY coalesce(i.commit_order, 9223372036854775807), i.id
  RETURN collect('fill ' + i.id) AS fills
}
SET g.heads_todo = ['clear'] + fills, g.heads_after = 0
REMOVE g.heads_failed
RETURN size(g.heads_todo) AS steps
