"""Probes: what is asked of the model, generated from the graph by Cypher."""
