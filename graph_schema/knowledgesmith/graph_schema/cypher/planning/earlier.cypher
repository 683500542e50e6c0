// purpose: questions of a branch's committed interventions that rest on given facts, with the answers they expect
// params: branch_id, facts
// returns: id, anchor, path, options, after, polarity, asked, probes
// access: read
//
// `facts` has the ids of facts as keys. Phrasings of one question come as one row. Statements are left out: what they
// state is asked about as well. A placebo expects nothing new.
MATCH (b:Branch {id: $branch_id})<-[:ON]-(i {state: 'SUCCEEDED'})
WHERE i.rolled_back_at IS NULL AND i.method <> 'placebo'
MATCH (i)-[planned:PLANNED]->(p:Probe)
WHERE any(fact IN planned.fact_ids WHERE $facts[fact] IS NOT NULL) AND p.kind <> 'CONFLICT'
WITH
  i,
  p.anchor AS anchor,
  p.path AS path,
  planned.polarity AS polarity,
  planned.asked_fact_id AS asked,
  [n IN planned.after | p.option_uids[n]] AS after,
  collect(p.option_uids) AS options
RETURN
  i.id AS id,
  anchor,
  path,
  reduce(found = [], one IN options | found + [uid IN one WHERE NOT uid IN found]) AS options,
  after,
  polarity,
  asked,
  size(options) AS probes
ORDER BY i.commit_order DESC, id, polarity, anchor, path, asked
