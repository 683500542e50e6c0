// purpose: one model
// params: id
// returns: id, path, weights_sha256, architecture, parameters
// access: read
MATCH (m:Model {id: $id})
RETURN m.id AS id, m.path AS path, m.weights_sha256 AS weights_sha256,
       m.architecture AS architecture, m.parameters AS parameters
