"""What follows from asserted facts: rules, the closure, proofs, and what must go so that a fact no longer follows."""
