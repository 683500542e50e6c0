"""Questions as texts, and how texts look: phrasings, grammar, and whether a text gives its answer away."""
