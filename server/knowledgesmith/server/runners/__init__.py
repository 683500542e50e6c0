"""What operations do, one runner a method: from a stored request to its response, safe to run again."""
