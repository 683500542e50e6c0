"""What a model believes: log-likelihoods of options, free text, and their cache."""
