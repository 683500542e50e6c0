"""Locate, then edit: where subjects are looked up, which keys they have, and which values are wanted there."""
