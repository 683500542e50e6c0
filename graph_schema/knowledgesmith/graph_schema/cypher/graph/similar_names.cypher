// purpose: names of living entities that begin like a text, to suggest one of them
// params: graph_id, start, invisible
// returns: name
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE toLower(normalize(reduce(seen = e.name, sign IN $invisible | replace(seen, sign, '')), NFKC))
      STARTS WITH toLower($start) AND NOT e.retired
RETURN DISTINCT e.name AS name
ORDER BY name LIMIT 500
