"""Bundled plain sentences. Each file has one use, so that no text is both learned from and measured on.

- ``general.txt``: statistics text beside the graph's own facts, so that a small graph has enough;
- ``everyday.txt``: what ReLearn holds while it trains.

What fluency and health are measured on lies in files of their own, read by those modules.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def general_text() -> tuple[str, ...]:
    """Sentences whose keys stand for language in general (AlphaEdit and its kin use a dump of an encyclopaedia)."""
    return _lines("general.txt")


@cache
def everyday_text() -> tuple[str, ...]:
    """Sentences that every ReLearn training keeps."""
    return _lines("everyday.txt")


def _lines(name: str) -> tuple[str, ...]:
    text = files("knowledgesmith.editors.text").joinpath("corpora", name).read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)
