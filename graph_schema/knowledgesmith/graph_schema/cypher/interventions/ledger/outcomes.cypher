// purpose: write what the planned probes of a ledger batch showed onto their place in the plan
// params: id, rows
// returns: written
// access: write
//
// Rows are [probe id, best option before, best option after, p_old before, p_old after, p_new before, p_new after,
// verdict, greedy text before, greedy text after, text disagrees, scorers disagree]; options are counted from 0, -1 is a
// tie, texts are null where none was taken. It runs in the transaction of its batch, after the fence was checked.
// `written` are the ids of the probes that were found; what was written is to be taken back where one is missing.
MATCH (i:Intervention {id: $id})
UNWIND $rows AS row
MATCH (p:Probe {id: row[0]})<-[planned:PLANNED]-(i)
SET planned.pred_before = row[1], planned.pred_after = row[2],
    planned.p_old_before = row[3], planned.p_old_after = row[4],
    planned.p_new_before = row[5], planned.p_new_after = row[6],
    planned.verdict = row[7], planned.text_before = row[8], planned.text_after = row[9],
    planned.text_disagrees = row[10], planned.scorers_disagree = row[11]
RETURN collect(DISTINCT p.id) AS written
