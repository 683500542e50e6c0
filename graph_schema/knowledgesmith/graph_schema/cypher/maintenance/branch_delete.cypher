// purpose: delete a closed branch that has no intervention any more
// params: id
// returns: last_head
// access: write
MATCH (b:Branch {id: $id})
WHERE b.deleting_at IS NOT NULL AND NOT EXISTS { (b)<-[:ON]-() }
WITH b, coalesce(b.last_head, '') AS last_head
DETACH DELETE b
RETURN last_head
