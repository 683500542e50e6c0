// purpose: create entities from lists (uid, name, type, domain, aliases, retired, label of the level, depth)
// params: graph_id, rows
// returns: written
// access: write
//
// Without the last two parts an entity is a leaf outside the hierarchy.
UNWIND $rows AS row
CREATE (e:Entity:$(coalesce(row[6], 'Leaf')) {graph_id: $graph_id, uid: row[0], name: row[1], type: row[2],
                                              domain: row[3], aliases: row[4], retired: row[5], depth: row[7]})
RETURN count(e) AS written
