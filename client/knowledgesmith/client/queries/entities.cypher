// purpose: a page of a graph's entities by uid, with the beliefs of its selected branch
// params: graph_id, after, limit
// returns: uid, name, type, domain, aliases, level, depth, retired, beliefs
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > $after
RETURN e.uid AS uid, e.name AS name, e.type AS type, e.domain AS domain, e.aliases AS aliases,
       head([l IN labels(e) WHERE l IN ['Root', 'Intermediate', 'Leaf']]) AS level, e.depth AS depth,
       e.retired AS retired,
       e {.belief, .belief_prev, .belief_delta, .belief_direct, .belief_reverse, .belief_multi_hop, .belief_comparison,
          .belief_contextual, .belief_conflict, .belief_intervention, .belief_seq} AS beliefs
ORDER BY uid LIMIT $limit
