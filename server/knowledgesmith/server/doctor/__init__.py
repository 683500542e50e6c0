"""What this machine offers the service: each part looked at, none started, each shortcoming with the way out."""
