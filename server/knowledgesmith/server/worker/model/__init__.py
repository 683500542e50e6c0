"""The one model in memory: loaded, lent to interventions, and asked beside them."""
