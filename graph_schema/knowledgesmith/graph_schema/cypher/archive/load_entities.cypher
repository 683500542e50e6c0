// purpose: create entities from lists (uid, name, type, domain, aliases, retired, label of the level, depth)
// params: graph_id, rows
// returns: written
// access: write
//
// Without the last two parts an entity is a leaf outside the hierarchy. The keys are those by which a name is found in
// another form (`graphs/by_key`).
WITH [
      '\u00AD', '\u034F', '\u061C', '\u180E', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u2060',
      '\u2061', '\u2062', '\u2063', '\u2064', '\uFEFF', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E',
      '\u2066', '\u2067', '\u2068', '\u2069', '\uFE0E', '\uFE0F'] AS invisible
UNWIND $rows AS row
CREATE (e:Entity:$(coalesce(row[6], 'Leaf')) {graph_id: $graph_id, uid: row[0], name: row[1], type: row[2],
                                              domain: row[3], aliases: row[4], retired: row[5], depth: row[7]})
SET e.name_keys = [text IN [row[1]] + coalesce(row[4], []) WHERE text IS :: STRING NOT NULL |
                   toLower(normalize(reduce(seen = text, sign IN invisible | replace(seen, sign, '')), NFKC))]
RETURN count(e) AS written
