"""Statistics of a text, measured once and kept: moments of keys and gradients, diagonal Fisher, their spectra."""
