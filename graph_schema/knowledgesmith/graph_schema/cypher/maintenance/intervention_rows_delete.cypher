// purpose: delete at most so many ledger rows of an intervention that is being deleted
// params: id, limit
// returns: deleted
// access: write
MATCH (i:Intervention {id: $id})-[c:CHANGED]->()
WHERE i.deleting_at IS NOT NULL
WITH c LIMIT $limit
DELETE c
RETURN count(*) AS deleted
