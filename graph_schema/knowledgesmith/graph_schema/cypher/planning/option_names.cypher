// purpose: names and aliases of the options of a plan's direct questions about targets
// params: id
// returns: uid, names
// access: read
MATCH (i:Intervention {id: $id})-[planned:PLANNED]->(p:Probe)
WHERE planned.role = 'target' AND p.kind = 'DIRECT'
UNWIND p.option_uids AS uid
WITH DISTINCT i, uid
MATCH (e:Entity {graph_id: i.graph_id, uid: uid})
USING INDEX e:Entity(graph_id, uid)
RETURN uid, [e.name] + coalesce(e.aliases, []) AS names
ORDER BY uid
