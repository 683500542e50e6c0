"""Statistics of what a layer reads, which stand for what a model must keep."""
