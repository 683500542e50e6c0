"""What a method leaves behind: files named by their SHA-256, and what they do to a model while they are attached."""
