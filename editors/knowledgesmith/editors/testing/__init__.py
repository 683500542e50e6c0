"""Tiny models and a small request, for tests and benchmarks."""
