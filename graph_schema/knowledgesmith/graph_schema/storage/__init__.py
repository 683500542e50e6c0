"""The database: the only module that talks to the driver, the packaged queries, and the migrations."""
