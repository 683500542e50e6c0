"""Methods that change what a language model knows, under one objective and one contract."""
