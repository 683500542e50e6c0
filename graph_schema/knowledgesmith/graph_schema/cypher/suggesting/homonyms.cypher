// purpose: names and aliases that several living entities share to the eye, the most shared first, after a given position
// params: graph_id, after_entities, after_label, limit, invisible
// returns: label, entities, uids, spellings
// access: read
//
// Two spellings are one label where they differ in normal form, width, case or invisible signs alone.
MATCH (e:Entity {graph_id: $graph_id})
WHERE NOT e.retired
CALL (e) {
  UNWIND [e.name] + e.aliases AS spelling
  WITH spelling, toLower(normalize(reduce(seen = spelling, sign IN $invisible | replace(seen, sign, '')), NFKC)) AS key
  RETURN key, collect(DISTINCT spelling) AS own
}
WITH key, count(e) AS entities, collect(e.uid) AS uids, collect(own) AS owns
WHERE entities > 1
WITH entities, uids, COLLECT { UNWIND owns AS own UNWIND own AS text WITH DISTINCT text ORDER BY text LIMIT 20 RETURN text } AS spellings
WITH spellings[0] AS label, entities, uids, spellings
WHERE ($after_entities IS NULL OR entities < $after_entities OR (entities = $after_entities AND label > $after_label))
WITH label, entities, uids, spellings ORDER BY entities DESC, label LIMIT $limit
RETURN label, entities, COLLECT { UNWIND uids AS uid WITH uid ORDER BY uid LIMIT 20 RETURN uid } AS uids, spellings
ORDER BY entities DESC, label
