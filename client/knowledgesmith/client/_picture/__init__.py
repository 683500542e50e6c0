"""Pictures of a propagation as self-contained files."""

from knowledgesmith.client._picture.page import draw, draw_svg

__all__ = ("draw", "draw_svg")
