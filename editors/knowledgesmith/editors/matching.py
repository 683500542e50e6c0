"""Does a generation begin with an answer? Exact, case-aware, alias-aware, at word boundaries.

"boron" is not "B", "CuO" is not "Cu", "Guinea-Bissau" is not "Guinea" and "3.5" is not "3"; opening quotes, brackets,
spaces and an article before the answer are tolerated.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_OPENING = re.compile(r"^[\s\"'`“”‘’«»„‚(\[*_]+")
_ARTICLE = re.compile(r"^(?:the|The|a|A|an|An)\s+(?=\S)")
_JOINERS = "-‐‑’'"
_POSSESSIVE = re.compile(r"^['’]s(?!\w)")


def matched_alias(generation: str, answers: Iterable[str]) -> str | None:
    """The longest of ``answers`` that ``generation`` begins with, or ``None``; empty answers never match."""
    starts = _starts(_normalise(generation))
    found = [answer for answer in answers if any(_begins(start, answer) for start in starts)]
    return max(found, key=len, default=None)


def matches(generation: str, answers: Iterable[str]) -> bool:
    """Whether ``generation`` begins with one of ``answers`` as whole words."""
    return matched_alias(generation, answers) is not None


def _normalise(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _starts(text: str) -> tuple[str, ...]:
    """The text as it is, without what may open it, and without an article after that."""
    opened = _OPENING.sub("", text)
    bare = _OPENING.sub("", _ARTICLE.sub("", opened))
    return text, opened, bare


def _begins(text: str, answer: str) -> bool:
    wanted = _normalise(answer)
    return bool(wanted) and text.startswith(wanted) and _ends_word(wanted[-1], text[len(wanted) :])


def _ends_word(last: str, rest: str) -> bool:
    """Whether a word (or number) that ends in ``last`` really ends before ``rest``."""
    if not rest or not _is_word(last):
        return True
    if _is_word(rest[0]):
        return False
    follows = rest[1:2]
    if rest[0] in _JOINERS and _is_word(follows):
        return bool(_POSSESSIVE.match(rest))
    return not (last.isdigit() and rest[0] in ".," and follows.isdigit())


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character or " ").startswith("M")
