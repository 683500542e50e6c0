// purpose: nodes of entities that a branch inserts; for the base graph they are retired
// params: graph_id, rows
// returns: others
// access: write
//
// Rows are [uid, name, type, domain, aliases], sorted by uid. `others` are the uids of nodes with other texts: they
// stand for other entities. The second SET takes the lock, so that a deletion elsewhere does not take the node away.
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
SET e.retired = e.retired
WITH e, row,
     e.name <> row[1] OR coalesce(e.type, '') <> row[2] OR coalesce(e.domain, '') <> row[3]
     OR coalesce(e.aliases, []) <> row[4] AS other
RETURN collect(CASE WHEN other THEN e.uid END) AS others
