"""Training: low-rank adapters, float32 masters, and the rows that are trained on."""
