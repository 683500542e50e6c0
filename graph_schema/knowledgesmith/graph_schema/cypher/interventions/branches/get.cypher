// purpose: one model
// params: id
// returns: id, path, weights_sha256, architecture, parameters, dtype
// access: read
//
// Nodes of earlier releases have no dtype: every model was float32 then.
MATCH (m:Model {id: $id})
RETURN m.id AS id, m.path AS path, m.weights_sha256 AS weights_sha256,
       m.architecture AS architecture, m.parameters AS parameters,
       coalesce(m.dtype, 'float32') AS dtype
