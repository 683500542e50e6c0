// purpose: the stored entities after a uid, with the facts and links of the hierarchy that start at each
// params: graph_id, after, limit
// returns: uid, name, type, domain, aliases, retired, level, depth, element, facts, links
// access: read
MATCH (e:Entity {graph_id: $graph_id})
USING INDEX e:Entity(graph_id, uid)
WHERE e.uid > $after
WITH e
ORDER BY e.uid
LIMIT $limit
RETURN e.uid AS uid, e.name AS name, e.type AS type, e.domain AS domain, e.aliases AS aliases, e.retired AS retired,
       [label IN labels(e) WHERE label IN ['Root', 'Intermediate', 'Leaf']] AS level, e.depth AS depth,
       elementId(e) AS element,
       [(e)-[f]->(o:Entity) WHERE f.fact_id IS NOT NULL AND f.graph_id = $graph_id |
         [type(f), o.uid, f.source, elementId(f), f.fact_id]] AS facts,
       [(e)-[h:HAS_CHILD]->(c:Entity) | [c.uid, elementId(h)]] AS links
ORDER BY uid
