// purpose: names and aliases that several living entities share, the most shared first
// params: graph_id, skip, limit
// returns: label, entities, uids
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE NOT e.retired
CALL (e) {
  UNWIND [e.name] + e.aliases AS label
  RETURN DISTINCT label
}
WITH label, count(e) AS entities, collect(e.uid) AS uids
WHERE entities > 1
WITH label, entities, uids ORDER BY entities DESC, label SKIP $skip LIMIT $limit
RETURN label, entities, COLLECT { UNWIND uids AS uid WITH uid ORDER BY uid LIMIT 20 RETURN uid } AS uids
ORDER BY entities DESC, label
