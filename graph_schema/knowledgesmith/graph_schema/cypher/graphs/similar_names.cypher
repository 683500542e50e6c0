// purpose: names of living entities that begin like a text, to suggest one of them
// params: graph_id, start
// returns: name
// access: read
//
// The index finds aliases that begin so as well. Signs that its language gives a meaning to are taken as they are.
WITH [
      '\u00AD', '\u034F', '\u061C', '\u180E', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u2060',
      '\u2061', '\u2062', '\u2063', '\u2064', '\uFEFF', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E',
      '\u2066', '\u2067', '\u2068', '\u2069', '\uFE0E', '\uFE0F'] AS invisible
WITH invisible, reduce(found = toLower($start),
     sign IN ['\\', '+', '-', '!', '(', ')', '{', '}', '[', ']', '^', '"', '~', '*', '?', ':', '/', '&', '|', '<', '>', '=', ' ']
     | replace(found, sign, '\\' + sign)) AS start
CALL db.index.fulltext.queryNodes('ks_entity_name_keys',
  'graph_id:' + '"' + replace(replace($graph_id, '\\', '\\\\'), '"', '\\"') + '"'
  + ' AND name_keys:' + start + '*') YIELD node AS e
WHERE e.graph_id = $graph_id AND NOT e.retired
  AND toLower(normalize(reduce(seen = e.name, sign IN invisible | replace(seen, sign, '')), NFKC))
      STARTS WITH toLower($start)
RETURN DISTINCT e.name AS name
ORDER BY name LIMIT 500
