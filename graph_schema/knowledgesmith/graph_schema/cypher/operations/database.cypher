// purpose: tell this database from any other
// params:
// returns: id
// access: read
CALL db.info() YIELD id
RETURN id
