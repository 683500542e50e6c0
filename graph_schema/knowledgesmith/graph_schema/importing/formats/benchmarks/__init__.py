"""Editing and unlearning benchmarks: their facts, and their edits as cases."""
