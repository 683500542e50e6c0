// purpose: which of the ids that an archive brings stand for something already
// params: models, branches, runs, requests, sets
// returns: kind, id, weights_sha256
// access: read
CALL () {
  UNWIND $models AS id
  MATCH (m:Model {id: id})
  RETURN 'model' AS kind, id, m.weights_sha256 AS weights_sha256
  UNION ALL
  UNWIND $branches AS id
  MATCH (:Branch {id: id})
  RETURN 'branch' AS kind, id, '' AS weights_sha256
  UNION ALL
  UNWIND $runs AS id
  MATCH (:Intervention {id: id})
  RETURN 'intervention' AS kind, id, '' AS weights_sha256
  UNION ALL
  UNWIND $requests AS id
  MATCH (:Intervention {request_id: id})
  RETURN 'request' AS kind, id, '' AS weights_sha256
  UNION ALL
  UNWIND $sets AS id
  MATCH (:ProbeSet {id: id})
  RETURN 'probe set' AS kind, id, '' AS weights_sha256
}
RETURN kind, id, weights_sha256
ORDER BY kind, id
