"""Probe sets of a whole graph, a block of anchors at a time, in bounded memory."""
