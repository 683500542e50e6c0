"""The one model in memory: loaded, lent to jobs, and asked beside them."""
