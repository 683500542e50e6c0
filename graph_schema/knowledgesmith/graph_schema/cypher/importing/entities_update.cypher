// purpose: overwrite entities from lists (element id, name, type, domain, aliases, level label, depth), and un-retire them
// params: graph_id, rows
// returns: updated
// access: write
UNWIND $rows AS row
MATCH (e)
WHERE elementId(e) = row[0] AND e.graph_id = $graph_id
SET e.name = row[1], e.type = row[2], e.domain = row[3], e.aliases = row[4], e.retired = false, e.depth = row[6]
REMOVE e:Root:Intermediate:Leaf
SET e:$(row[5])
RETURN count(e) AS updated
