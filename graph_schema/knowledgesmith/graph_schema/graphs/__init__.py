"""Stored graphs as they are read: counts, names, levels, versions, and pages of entities and facts."""
