// purpose: mark an intervention as being deleted, unless it runs or is committed and not released
// params: id, live, release
// returns: id
// access: write
//
// The first SET takes the lock, so that the state is fresh; the raised fence locks out every attempt. `release` says
// that the branch goes too, so that a commit holds nothing.
MATCH (i:Intervention {id: $id})
SET i.fence = coalesce(i.fence, 0) + 1
WITH i
WHERE NOT i.state IN $live AND ($release OR i.state <> 'SUCCEEDED' OR i.rolled_back_at IS NOT NULL)
SET i.deleting_at = coalesce(i.deleting_at, datetime())
RETURN i.id AS id
