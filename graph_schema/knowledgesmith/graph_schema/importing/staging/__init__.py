"""Records between files and graph: collected in SQLite, settled by kind, told what was found."""
