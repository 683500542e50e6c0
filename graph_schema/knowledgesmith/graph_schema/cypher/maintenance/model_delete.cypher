// purpose: delete a model that has no branch; its base stays
// params: id
// returns: deleted
// access: write
MATCH (m:Model {id: $id})
WHERE NOT EXISTS { (m)<-[:OF]-() }
DETACH DELETE m
RETURN count(*) AS deleted
