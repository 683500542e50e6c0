// purpose: living entities that have exactly this alias
// params: graph_id, text
// returns: uid, name, type
// access: read
//
// They are among those that have its key.
WITH [
      '\u00AD', '\u034F', '\u061C', '\u180E', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u2060',
      '\u2061', '\u2062', '\u2063', '\u2064', '\uFEFF', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E',
      '\u2066', '\u2067', '\u2068', '\u2069', '\uFE0E', '\uFE0F'] AS invisible
WITH toLower(normalize(reduce(seen = $text, sign IN invisible | replace(seen, sign, '')), NFKC)) AS key
CALL db.index.fulltext.queryNodes('ks_entity_name_keys',
  'graph_id:' + '"' + replace(replace($graph_id, '\\', '\\\\'), '"', '\\"') + '"'
  + ' AND name_keys:' + '"' + replace(replace(key, '\\', '\\\\'), '"', '\\"') + '"') YIELD node AS e
WHERE e.graph_id = $graph_id AND $text IN e.aliases AND NOT e.retired
RETURN e.uid AS uid, e.name AS name, e.type AS type
ORDER BY uid LIMIT 50
