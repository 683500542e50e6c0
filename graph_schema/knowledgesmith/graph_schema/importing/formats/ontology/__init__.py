"""Ontologies in the OBO family: OBO files and OBO Graphs."""
