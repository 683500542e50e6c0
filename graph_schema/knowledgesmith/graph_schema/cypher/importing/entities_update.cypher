// purpose: overwrite entities from lists (element id, name, type, domain, aliases, level label, depth), and un-retire them
// params: graph_id, rows
// returns: updated
// access: write
//
// The keys are those by which a name is found in another form (`graphs/by_key`).
WITH [
      '\u00AD', '\u034F', '\u061C', '\u180E', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u2060',
      '\u2061', '\u2062', '\u2063', '\u2064', '\uFEFF', '\u202A', '\u202B', '\u202C', '\u202D', '\u202E',
      '\u2066', '\u2067', '\u2068', '\u2069', '\uFE0E', '\uFE0F'] AS invisible
UNWIND $rows AS row
MATCH (e)
WHERE elementId(e) = row[0] AND e.graph_id = $graph_id
SET e.name = row[1], e.type = row[2], e.domain = row[3], e.aliases = row[4], e.retired = false, e.depth = row[6]
SET e.name_keys = [text IN [row[1]] + coalesce(row[4], []) WHERE text IS :: STRING NOT NULL |
                   toLower(normalize(reduce(seen = text, sign IN invisible | replace(seen, sign, '')), NFKC))]
REMOVE e:Root:Intermediate:Leaf
SET e:$(row[5])
RETURN count(e) AS updated
