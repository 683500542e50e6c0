// purpose: every entity of a graph, retired ones included
// params: graph_id
// returns: uid, name, type, domain, aliases, retired, level
// access: read
MATCH (e:Entity {graph_id: $graph_id})
RETURN e.uid AS uid, e.name AS name, e.type AS type, e.domain AS domain, e.aliases AS aliases, e.retired AS retired,
       head([label IN labels(e) WHERE label IN ['Root', 'Intermediate', 'Leaf']]) AS level
ORDER BY uid
