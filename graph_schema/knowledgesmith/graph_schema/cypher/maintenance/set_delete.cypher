// purpose: delete a probe set without members, and tell whether another one has the same file
// params: id
// returns: digest, shared
// access: write
MATCH (s:ProbeSet {id: $id})
WHERE s.deleting_at IS NOT NULL AND NOT EXISTS { (s)<-[:MEMBER]-() }
WITH s, s.digest AS digest
DETACH DELETE s
WITH digest
RETURN digest, EXISTS { (:ProbeSet {digest: digest}) } AS shared
