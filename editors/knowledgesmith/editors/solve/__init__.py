"""From wanted values to weights: the search for a value, the least-squares solves, and when a search ends."""
