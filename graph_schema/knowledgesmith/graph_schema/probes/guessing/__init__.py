"""Guessers that know nothing, and what is left out of a set so that they find nothing."""
