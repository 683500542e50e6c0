// purpose: overwrite the description of entities from lists (uid, name, type, domain, aliases) and un-retire them
// params: graph_id, rows
// returns: updated
// access: write
UNWIND $rows AS row
MATCH (e:Entity {graph_id: $graph_id, uid: row[0]})
SET e.name = row[1], e.type = row[2], e.domain = row[3], e.aliases = row[4], e.retired = false
RETURN count(e) AS updated
