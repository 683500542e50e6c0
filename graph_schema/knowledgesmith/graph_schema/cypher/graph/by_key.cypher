// purpose: living entities with a name or alias that looks like the text: in another normal form, width or case, or with invisible signs
// params: graph_id, keys, invisible
// returns: uid, name, type
// access: read
//
// It is asked only where nothing has exactly this name: every name of the graph is looked at.
MATCH (e:Entity {graph_id: $graph_id})
WHERE NOT e.retired
  AND any(text IN [e.name] + e.aliases
          WHERE toLower(normalize(reduce(seen = text, sign IN $invisible | replace(seen, sign, '')), NFKC)) IN $keys)
RETURN e.uid AS uid, e.name AS name, e.type AS type
ORDER BY uid LIMIT 50
