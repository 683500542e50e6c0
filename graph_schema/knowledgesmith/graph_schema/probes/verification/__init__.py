"""Questions and options judged by queries that share nothing with those that made them."""
