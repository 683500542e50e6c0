"""Hooks into a running model, and parameters that are borrowed and given back bit by bit."""
