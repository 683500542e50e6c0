// purpose: create entities from lists (uid, name, type, domain, aliases, level label, depth)
// params: graph_id, rows
// returns: elements
// access: write
//
// The element ids come back in the order of the rows: facts then need no look-up in an index.
UNWIND $rows AS row
CREATE (e:Entity:$(row[5]) {graph_id: $graph_id, uid: row[0], name: row[1], type: row[2], domain: row[3],
                            aliases: row[4], retired: false, depth: row[6]})
RETURN collect(elementId(e)) AS elements
