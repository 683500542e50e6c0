"""Tables of facts as people keep them: what their columns hold, told from the first rows."""
