"""Whether a text holds a phrase, in any script: by words where a script parts them, else by characters.

A text becomes a sequence of *units*, and a phrase stands in it when its units follow one another there; case, marks
between the units and the composition of characters do not matter. A unit is

- a word, in scripts that put spaces between words;
- one character with its combining marks, in scripts that do not (Chinese, Japanese, Thai, Khmer, Burmese, …): any
  place may be the border of a word there, so rather too much is found than too little.

In three spaced scripts small words grow on to a name without a space. Korean puts particles behind it, Arabic and
Hebrew put articles, prepositions and "and" before it; :func:`holds` looks through them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final

from knowledgesmith.graph_schema import cancellation

_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x1B00, 0x1B7F),  # Balinese
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),  # marks of repetition, ideographic zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),  # their extensions
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),  # Han
    (0xA000, 0xA4CF),  # Yi
    (0xA980, 0xA9DF),  # Javanese
    (0xAA60, 0xAADF),  # Burmese, Tai Viet
    (0xF900, 0xFAFF),  # Han
    (0x1B000, 0x1B16F),  # older kana
    (0x20000, 0x3FFFF),  # Han
)
_HANGUL: Final = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xAC00, 0xD7FF))
_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
_PARTICLE: Final = re.compile(
    "[은는이가을를의에로와과도만께랑나며고라란야여]|으로|에서|까지|부터|보다|처럼|하고|한테|조차|마저|입니|이다|였"
)
"""What may stand behind a Korean noun of one syllable; behind longer ones anything may."""
_BEFORE: Final = re.compile("[והבלמשכ]{1,3}|[وفبكلس]{0,2}(?:ال)?|[وف]?لل")
"""What Hebrew and Arabic write on to the front of a word."""


def units(text: str, *, fold: bool = True) -> tuple[str, ...]:
    """The words and characters of a text. ``fold`` takes its case away."""
    return _units(text, fold)


def holds(text: str, phrase: str, *, fold: bool = True) -> bool:
    """Whether the units of ``phrase`` follow one another in ``text``; never for a phrase without a letter or digit."""
    wanted, found = units(phrase, fold=fold), units(text, fold=fold)
    width = len(wanted)
    return bool(wanted) and any(_meets(found[start : start + width], wanted) for start in range(len(found) - width + 1))


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """Many phrases, looked for all at once.

    Attributes:
        spans: phrases that a text may not hold anywhere.
        whole: phrases that are too short for that (a bare name): only a text that is nothing else counts.
    """

    spans: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()

    def held_by(self, text: str) -> bool:
        """Whether a text holds one of the phrases; case, marks and spaces aside.

        Raises:
            Cancelled: nobody waits for it any more (many texts are looked through in one go).
        """
        cancellation.check()
        found = units(text)
        if found in self._whole:
            return True
        return any(
            found[start : start + width] in phrases
            for start, first in enumerate(found)
            for width, phrases in self._spans.get(first, _NOTHING).items()
        )

    def without(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The texts that hold none, in their order."""
        return tuple(text for text in texts if not self.held_by(text))

    @cached_property
    def _spans(self) -> Mapping[str, Mapping[int, frozenset[tuple[str, ...]]]]:
        """By first unit and number of units."""
        found: dict[str, dict[int, set[tuple[str, ...]]]] = {}
        for phrase in map(units, self.spans):
            if phrase:
                found.setdefault(phrase[0], {}).setdefault(len(phrase), set()).add(phrase)
        return {
            first: {width: frozenset(phrases) for width, phrases in by_width.items()}
            for first, by_width in found.items()
        }

    @cached_property
    def _whole(self) -> frozenset[tuple[str, ...]]:
        return frozenset(found for found in map(units, self.whole) if found)


_NOTHING: Final[Mapping[int, frozenset[tuple[str, ...]]]] = {}
NO_PHRASES: Final = Phrases()
"""Forbids nothing."""


@lru_cache(maxsize=4096)
def _units(text: str, fold: bool) -> tuple[str, ...]:  # noqa: FBT001 - arguments are the key of the cache
    if text.isascii():
        return tuple(_ASCII_WORD.findall(text.lower() if fold else text))
    text = unicodedata.normalize("NFKC", text)
    # folding can take a composed character apart again
    text = unicodedata.normalize("NFKC", text.casefold()) if fold else text
    found: list[str] = []
    last = ""
    for char in text:
        kind = _kind(char)
        if kind == "mark" and last not in ("", "gap"):
            found[-1] += char
        elif kind in ("gap", "mark"):
            last = "gap"
        elif kind != "hidden":
            if kind == last != "alone":
                found[-1] += char
            else:
                found.append(char)
            last = kind
    return tuple(found)


@cache
def _kind(char: str) -> str:
    """gap, mark (belongs to the character before), hidden, alone (a unit by itself), hangul or word."""
    category = unicodedata.category(char)
    if category == "Cf":
        return "hidden"
    if category[0] == "M":
        return "mark"
    if not (char.isalnum() or char == "_"):
        return "gap"
    if _within(char, _UNSPACED):
        return "alone"
    return "hangul" if _within(char, _HANGUL) else "word"


def _within(char: str, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= ord(char) <= last for first, last in ranges)


def _meets(found: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether units of a text are those of a phrase, but for what a script writes on to the first or the last."""
    if found[1:-1] != wanted[1:-1]:
        return False
    if len(wanted) == 1:
        return _begins(found[0], wanted[0]) or _ends(found[0], wanted[0])
    return _ends(found[0], wanted[0]) and _begins(found[-1], wanted[-1])


def _begins(unit: str, name: str) -> bool:
    """Whether a unit is the name, or the name with a Korean particle behind it."""
    if unit == name:
        return True
    if _kind(name[-1]) != "hangul" or not unit.startswith(name):
        return False
    return len(name) > 1 or _PARTICLE.match(unit[len(name) :]) is not None


def _ends(unit: str, name: str) -> bool:
    """Whether a unit is the name, or the name with Hebrew or Arabic small words before it."""
    return unit == name or (unit.endswith(name) and _BEFORE.fullmatch(unit[: -len(name)]) is not None)
