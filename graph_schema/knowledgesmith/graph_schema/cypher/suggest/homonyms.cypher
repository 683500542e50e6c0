// purpose: names and aliases that several living entities share, the most shared first, after a given position
// params: graph_id, after_entities, after_label, limit
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
  AND ($after_entities IS NULL OR entities < $after_entities OR (entities = $after_entities AND label > $after_label))
WITH label, entities, uids ORDER BY entities DESC, label LIMIT $limit
RETURN label, entities, COLLECT { UNWIND uids AS uid WITH uid ORDER BY uid LIMIT 20 RETURN uid } AS uids
ORDER BY entities DESC, label
