"""Archives of graphs: one file with a graph and everything that stands on it, written, checked, loaded, compared."""
