"""One servicer a file: parse, call, answer."""
