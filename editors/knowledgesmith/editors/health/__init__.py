"""Whether a changed model is still a model: perplexity, free text, constant answers, and what arrived of a change."""
