"""Probe sets at rest: kept, sampled, audited, and exchanged with other tools."""
