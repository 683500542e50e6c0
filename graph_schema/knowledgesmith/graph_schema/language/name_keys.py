"""Keys by which names are the same to a reader: normal form, letter case, width, blanks and invisible signs aside.

Two names with one key look alike; ``difference_of`` says in words what tells them apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

# Unicode's property Default_Ignorable_Code_Point: what fonts show nothing for, direction marks among them.
_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


INVISIBLE: Final = (
    *"\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff",
    *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFE0E, 0xFE0F)),
)
"""Those that occur in names, for queries that cannot take a pattern away."""
_STEPS: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("composed or decomposed letters", lambda text: unicodedata.normalize("NFC", text)),
    ("blanks", lambda text: " ".join(text.split())),
    ("width or compatibility forms", lambda text: unicodedata.normalize("NFKC", text)),
)


def without_invisible(text: str) -> str:
    """A text without the signs that nothing is shown for; line ends and blanks stay."""
    return text if text.isascii() else _IGNORABLE.sub("", text)


def name_key(text: str) -> str:
    """The same for names that differ in normal form, width, case, blanks or invisible signs alone.

    Compatibility form (NFKC), case-folded, runs of any blanks as one blank; the key of a key is the key. Empty where
    nothing visible stands.
    """
    if text.isascii():
        return " ".join(text.casefold().split())
    plain = unicodedata.normalize("NFKC", without_invisible(text))
    # Folding may open a sign into several, and composing may make one that folds again: twice is enough for Unicode.
    for _ in range(2):
        plain = unicodedata.normalize("NFKC", without_invisible(plain.casefold()))
    return " ".join(plain.split())


def difference_of(one: str, other: str) -> str:
    """What tells two names of one key apart, in words; empty where they are equal."""
    if one == other:
        return ""
    found: list[str] = []
    hidden = [_signs(text) for text in (one, other)]
    if hidden[0] != hidden[1]:
        found.append(f"invisible signs ({', '.join(sorted(set(hidden[0]) ^ set(hidden[1]))) or 'their places'})")
    one, other = without_invisible(one), without_invisible(other)
    if one != other:
        one, other = _stepped(found, one, other)
    if one != other:
        found.append("letter case")
    return ", ".join(found)


def _stepped(found: list[str], one: str, other: str) -> tuple[str, str]:
    """Take away what tells two texts apart kind by kind, and note each kind that made a difference."""
    for what, change in _STEPS:
        pair = change(one), change(other)
        # What only the other steps can join is no difference of this kind.
        if _distance(*pair) < _distance(one, other) or pair[0] == pair[1]:
            found.append(what)
        one, other = pair
        if one == other:
            break
    return one, other


def _distance(one: str, other: str) -> int:
    """How many signs differ, place by place and in number: enough to see whether a step brought two texts nearer."""
    return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))


def _signs(text: str) -> list[str]:
    return [f"U+{ord(sign):04X}" for sign in _IGNORABLE.findall(text)]
