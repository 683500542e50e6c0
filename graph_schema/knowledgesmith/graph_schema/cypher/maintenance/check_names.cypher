// purpose: the constraints and indexes that the database has
// params:
// returns: name
// access: read
SHOW CONSTRAINTS YIELD name
RETURN name
