"""google.longrunning.Operations: get, list, cancel, delete and wait for operations."""
