// purpose: living entities with a name or alias that looks like the text: in another normal form, width or case, or with invisible signs
// params: graph_id, keys
// returns: uid, name, type
// access: read
//
// The index takes a key as it is, without parting it into words, so that every sign of every script counts.
WITH reduce(found = '', key IN $keys |
            found + ' ' + '"' + replace(replace(key, '\\', '\\\\'), '"', '\\"') + '"') AS keys
CALL db.index.fulltext.queryNodes('ks_entity_name_keys',
  'graph_id:' + '"' + replace(replace($graph_id, '\\', '\\\\'), '"', '\\"') + '"'
  + ' AND name_keys:(' + keys + ')') YIELD node AS e
WHERE e.graph_id = $graph_id AND NOT e.retired
RETURN e.uid AS uid, e.name AS name, e.type AS type
ORDER BY uid LIMIT 50
