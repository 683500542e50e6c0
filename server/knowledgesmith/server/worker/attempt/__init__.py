"""One attempt at one intervention: from a plan to a measured, committed revision."""
