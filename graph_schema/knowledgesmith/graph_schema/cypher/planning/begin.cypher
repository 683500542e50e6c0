// purpose: write a plan's head onto its intervention under the fence, replacing a plan of an earlier attempt
// params: id, fence, properties, targets
// returns: targeted, former
// access: write
//
// Targets are [subject, relation, fact id, old object, new object, id of the fact with the new object], in order; where
// there is only one object, both ids are those of its fact. The ids of the probes that the former plan asked come back:
// those that nobody asks any more must go (`planning/unheld`).
MATCH (i:Intervention {id: $id})
SET i.fence = i.fence + 0
WITH i
WHERE i.fence = $fence
CALL (i) {
  OPTIONAL MATCH (i)-[old:PLANNED|TARGETS]->(end)
  WITH old, CASE WHEN old:PLANNED THEN end.id END AS probe
  DELETE old
  RETURN collect(probe) AS former
}
SET i += $properties
WITH i, former
CALL (i) {
  UNWIND range(0, size($targets) - 1) AS position
  WITH i, position, $targets[position] AS target
  MATCH (e:Entity {graph_id: $properties.plan_graph, uid: target[0]})
  CREATE
    (i)-[:TARGETS {
      position: position,
      relation: target[1],
      fact_id: target[2],
      old_object: target[3],
      new_object: target[4],
      new_fact_id: target[5]
    }]->(e)
  RETURN count(*) AS targeted
}
RETURN targeted, former
