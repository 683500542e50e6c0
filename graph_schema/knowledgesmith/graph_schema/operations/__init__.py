"""Long-running operations at rest: what was asked for, how far it is, and what came of it."""
