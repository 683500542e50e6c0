// purpose: models by id, after a given id
// params: after, limit
// returns: id, path, weights_sha256, architecture, parameters, dtype
// access: read
MATCH (m:Model) WHERE m.id > $after
RETURN m.id AS id, m.path AS path, m.weights_sha256 AS weights_sha256,
       m.architecture AS architecture, m.parameters AS parameters,
       coalesce(m.dtype, 'float32') AS dtype
ORDER BY id LIMIT $limit
