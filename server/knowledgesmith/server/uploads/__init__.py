"""Files on their way in, and imports as streams."""
