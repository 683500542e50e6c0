"""Commands of a server of one's own, and of what it stands on."""
