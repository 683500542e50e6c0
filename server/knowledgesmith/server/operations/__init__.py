"""Long-running operations: begun once, kept in the database, and taken up again after every restart."""
