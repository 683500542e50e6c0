"""The values that every room speaks of: facts, changes, plans, probes and cases. Pure, without I/O."""
