// purpose: how many revisions and interventions name an artefact, and how many running attempts may yet do so
// params: sha256
// returns: uses
// access: read
CALL () {
  MATCH (r:Revision {artefact_sha256: $sha256})
  RETURN count(r) AS revisions
}
CALL () {
  MATCH (i:Intervention {artefact_sha256: $sha256})
  RETURN count(i) AS named
}
CALL () {
  MATCH (i:Intervention)
  WHERE i.state IN ['PREPARING', 'RUNNING'] AND coalesce(i.artefact_sha256, '') = ''
  RETURN count(i) AS running
}
RETURN revisions + named + running AS uses
