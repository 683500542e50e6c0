"""From staged records to the graph: the difference, written in batches under the import's lock."""
