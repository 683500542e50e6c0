"""A text and what follows it: with a blank between where the script has one, and the full stop that the script uses.

Chinese and Japanese put no blanks between words or sentences, Thai, Lao, Khmer, Burmese and Tibetan none between words.
A blank before the answer would be another text than any that a model has read, and other tokens.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_NO_BLANKS: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "BOPOMOFO", "YI"})
"""Scripts, and their marks, that no blank follows."""
_NO_WORD_BLANKS: Final = frozenset({"THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "JAVANESE", "BALINESE"})
"""Scripts that no blank stands in, but around words of others."""
_WIDE: Final = frozenset("。、，．：；？！（）「」『』《》〈〉【】〔〕｜＝＿—…‥・〜～－")
_STOPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_NO_BLANKS, "。"),
    **dict.fromkeys(("THAI", "LAO"), ""),  # sentences end in a blank
    "KHMER": "។",
    "MYANMAR": "။",
    "TIBETAN": "།",
    "DEVANAGARI": "।",
    "BENGALI": "।",
    "GURMUKHI": "।",
    "ORIYA": "।",
    "ARMENIAN": "։",
    "ETHIOPIC": "።",
}
_URDU: Final = frozenset("ٹڈڑںےھۓہ")
"""Arabic letters of Urdu alone, whose full stop is its own."""


def joined(text: str, following: str) -> str:
    """Both as one running text: ``"The capital of Japan is" + " " + "Tokyo"``, but ``"日本的首都是" + "东京"``."""
    return f"{text}{blank(text, following)}{following}"


def blank(text: str, following: str) -> str:
    """What stands between a text and what follows it: a blank or nothing."""
    if not text or not following:
        return " "
    last, first = text[-1], following[0]
    script = script_of(last)
    if script in _NO_BLANKS or (last in _WIDE and _is_wide(text)):
        return " " if _is_spaced(text) and _is_spaced(following) else ""
    if script in _NO_WORD_BLANKS and script_of(first) == script:
        return ""
    return " "


def full_stop(text: str) -> str:
    """The full stop of the script that a text ends in: ``.`` for Latin and most; nothing where there is none."""
    letters = [character for character in text if character.isalnum()]
    script = script_of(letters[-1]) if letters else ""
    if script == "ARABIC" and not _URDU.isdisjoint(text):
        return "۔"
    return _STOPS.get(script, ".")


@lru_cache(maxsize=4096)
def script_of(character: str) -> str:
    """The script of a letter, by its name in Unicode: ``LATIN``, ``CJK``, ``THAI``; of a mark the first word of it."""
    return unicodedata.name(character, "").partition(" ")[0].partition("-")[0]


def _is_spaced(text: str) -> bool:
    """Whether the first letter is of a script with blanks: a name in another script may stand in its texts."""
    first = next((character for character in text if character.isalpha()), "")
    return bool(first) and " " in text and script_of(first) not in _NO_BLANKS | _NO_WORD_BLANKS


def _is_wide(text: str) -> bool:
    """Whether a mark that Latin texts have too ("—", "…") ends a text of a script without blanks."""
    last = text[-1]
    if unicodedata.east_asian_width(last) in {"F", "W"}:
        return True
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and script_of(letters[-1]) in _NO_BLANKS
