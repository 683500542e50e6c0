"""How names and sentences are put together, compared and checked, in any script. Pure."""
