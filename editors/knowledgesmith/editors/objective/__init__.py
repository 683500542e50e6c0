"""The objective: target distributions, token rows, and the divergence that every method minimises."""
