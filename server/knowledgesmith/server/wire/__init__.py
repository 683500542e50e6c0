"""Wire types to domain values and back, and what holds of every message: sizes, pages, statuses."""
