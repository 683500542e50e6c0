"""Between the wire and Python: messages and values, policies, errors, results, files."""
