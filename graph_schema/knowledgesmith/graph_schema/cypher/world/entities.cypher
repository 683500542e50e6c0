// purpose: nodes of entities that a branch inserts; for the base graph they are retired
// params: graph_id, rows
// returns: entities
// access: write
//
// Rows are [uid, name, type, domain, aliases], sorted by uid.
UNWIND $rows AS row
MERGE (e:Entity {graph_id: $graph_id, uid: row[0]})
ON CREATE SET
  e:Leaf,
  e.name = row[1],
  e.type = row[2],
  e.domain = row[3],
  e.aliases = row[4],
  e.retired = true,
  e.inserted = true
RETURN count(e) AS entities
