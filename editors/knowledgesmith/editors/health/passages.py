"""Plain passages that nothing trains on: what a revision reads to show that it still knows its languages."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def passages() -> tuple[str, ...]:
    """The bundled passages (``texts/health.txt``), written for this project; one a line.

    Subjects and registers vary, some are in other languages, some are code or numbers. No training text of any method
    holds them; a test compares them with every bundled text and template.
    """
    text = files("knowledgesmith.editors.text").joinpath("corpora", "health.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)
