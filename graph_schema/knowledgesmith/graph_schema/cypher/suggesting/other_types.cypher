// purpose: entities at one end of a relation's facts that have another type than the usual one, by uid
// params: graph_id, kind, wanted, of_object, limit
// returns: uid, type
// access: read
MATCH (e:Entity {graph_id: $graph_id})
WHERE e.uid > ''
WITH e ORDER BY e.uid
WHERE coalesce(e.type, '') <> $wanted
  AND (($of_object AND EXISTS { MATCH (e)<-[f]-(:Entity) WHERE type(f) = $kind AND f.fact_id IS NOT NULL })
    OR (NOT $of_object AND EXISTS { MATCH (e)-[f]->(:Entity) WHERE type(f) = $kind AND f.fact_id IS NOT NULL }))
RETURN e.uid AS uid, e.type AS type
LIMIT $limit
