"""Benchmarks of the graph side."""
