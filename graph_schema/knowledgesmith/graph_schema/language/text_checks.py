"""What a text from outside may contain before it is stored or put into a prompt."""

from __future__ import annotations

import re
import unicodedata

from knowledgesmith.graph_schema.language.name_keys import without_invisible

MAX_UID = 500
"""Characters of a uid (IRIs are long)."""
MAX_NAME = 500
"""Characters of a name, alias or template."""
MAX_WORD = 200
"""Characters of a type, domain, relation name or source."""

# Control characters would break prompts, logs and one-line formats; lone surrogates cannot be sent as UTF-8.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
GRAPH_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""What an id of a graph looks like."""
DIGEST = re.compile(r"[0-9a-f]{64}")
"""What names a file: anything else could be a pattern, or lead out of the folder."""


def folded(text: str) -> str:
    """A text by which two that differ in case and spaces alone are told to be the same."""
    return " ".join(text.casefold().split())


def problem_with(text: str, *, limit: int, empty: bool = False) -> str:
    """What is wrong with a text, in a few words; empty when nothing is."""
    if not text:
        return "" if empty else "is empty"
    if len(text) > limit:
        return f"has {len(text)} characters, at most {limit} are allowed"
    found = _FORBIDDEN.search(text)
    return f"holds the control character U+{ord(found.group()):04X}" if found else ""


def problem_with_name(text: str, *, limit: int, empty: bool = False) -> str:
    """The same of what names something, which must show: blanks, format signs and fillers alone do not."""
    problem = problem_with(text, limit=limit, empty=empty)
    return problem or (
        "shows nothing: it is made of blanks and invisible signs alone" if text and is_blank(text) else ""
    )


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing of a text."""
    if text.isascii():
        return not text.strip()
    return all(_shows_nothing(sign) for sign in without_invisible(text))


def _shows_nothing(sign: str) -> bool:
    """Blanks of all kinds, control and format characters, what Unicode has not assigned, and the blank of Braille."""
    return sign == "\u2800" or unicodedata.category(sign) in {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Cn"}
