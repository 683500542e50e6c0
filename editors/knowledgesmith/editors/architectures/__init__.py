"""What a model is made of: blocks, projections and heads, found by structure and not by family name."""
