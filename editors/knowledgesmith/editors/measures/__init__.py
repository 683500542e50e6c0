"""Pure measures over what was scored: verdicts, intervals, collapse, fluency."""
