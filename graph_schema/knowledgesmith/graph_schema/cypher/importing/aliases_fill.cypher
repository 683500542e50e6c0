// purpose: give the entities of one page what the bulk tool cannot write: an empty list of aliases, and the keys of their names
// params: graph_id, after, limit
// returns: last
// access: write
//
// The keys are those by which a name is found in another form (`graphs/by_key`). What somebody damaged by hand, an entity
// without a name or a name that is no text, has no keys of it: `graph check` names it, and a database of an earlier
// release starts with it.
MATCH (e:Entity {graph_id: $graph_id})
USING INDEX e:Entity(graph_id, uid)
WHERE e.uid > $after
WITH e
ORDER BY e.uid
LIMIT $limit
WITH collect(e) AS page
WITH page, [
      '\u00AD', '\u034F', '\u061C', '\u180E', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u2060',
      '\u2061', '\u2062', '\u2063', '\u2064', '\uFEFF', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E',
      '\u2066', '\u2067', '\u2068', '\u2069', '\uFE0E', '\uFE0F'] AS invisible
CALL (page, invisible) {
  UNWIND page AS e
  WITH e, invisible
  WHERE e.aliases IS NULL OR e.name_keys IS NULL
  SET e.aliases = coalesce(e.aliases, [])
  SET e.name_keys = [text IN [e.name] + e.aliases WHERE text IS :: STRING NOT NULL |
                     toLower(normalize(reduce(seen = text, sign IN invisible | replace(seen, sign, '')), NFKC))]
}
RETURN page[-1].uid AS last
