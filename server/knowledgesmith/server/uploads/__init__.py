"""Files on their way in: kept in the folder of an operation, and read from there by its runner, again and again."""
