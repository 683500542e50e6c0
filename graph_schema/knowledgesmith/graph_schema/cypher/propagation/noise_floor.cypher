// purpose: how the rates of an intervention are to be read: scheme of its verdicts, health, and the branch's last placebo
// params: id
// returns: scheme, healthy, reasons, placebo
// access: read
//
// A placebo changed nothing: what it shows is noise. It has the same goal and scheme, was measured to its end, whatever
// was decided then, and is no placebo of itself. An intervention whose health was not measured counts as healthy.
MATCH (i:Intervention {id: $id})
WITH i, coalesce(i.verdict_scheme, 1) AS scheme
OPTIONAL CALL (i, scheme) {
  MATCH (i)-[:ON]->(:Branch)<-[:ON]-(p:Intervention)
  WHERE p.method = 'placebo' AND p.goal = i.goal AND p.id <> i.id AND coalesce(p.verdict_scheme, 1) = scheme
    AND p.written_rows > 0 AND p.written_rows = p.planned_rows
  RETURN p.id AS placebo
  ORDER BY p.created_at DESC, placebo DESC LIMIT 1
}
RETURN scheme, coalesce(i.health_ok, true) AS healthy, coalesce(i.health_reasons, []) AS reasons, placebo
