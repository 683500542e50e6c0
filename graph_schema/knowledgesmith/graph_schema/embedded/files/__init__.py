"""Files that several processes share: locked, and fetched once."""
