"""Commands of graphs, their relations, probe sets and cases."""
