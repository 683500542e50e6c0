"""How the value of a bad record is shown to the user."""

from __future__ import annotations

from knowledgesmith.graph_schema.errors import shorten


def quote(value: object) -> str:
    """A value for a problem's text, short and with control characters escaped."""
    return shorten(value, 60) if isinstance(value, str) else shorten(repr(value), 60)
