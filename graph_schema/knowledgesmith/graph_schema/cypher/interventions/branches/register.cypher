// purpose: register a model with its base revision; a second call with the same weights only tells where they are now
// params: id, path, weights_sha256, architecture, parameters, dtype, base_revision
// returns: weights_sha256, dtype
// access: write
MERGE (m:Model {id: $id})
ON CREATE SET m.path = $path, m.weights_sha256 = $weights_sha256, m.architecture = $architecture,
              m.parameters = $parameters, m.dtype = $dtype, m.created_at = datetime()
SET m.path = CASE WHEN m.weights_sha256 = $weights_sha256 THEN $path ELSE m.path END
MERGE (r:Revision {id: $base_revision})
ON CREATE SET r.artefact_sha256 = '', r.weights_sha256 = $weights_sha256, r.created_at = datetime()
MERGE (m)-[:BASE]->(r)
RETURN m.weights_sha256 AS weights_sha256, coalesce(m.dtype, 'float32') AS dtype
