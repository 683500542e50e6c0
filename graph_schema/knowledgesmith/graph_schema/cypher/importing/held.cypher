// purpose: whether the database holds anything besides the record of its schema
// params:
// returns: held
// access: read
RETURN EXISTS { MATCH (n) WHERE NOT n:KnowledgeSmithSchema } AS held
