"""The words of a relation's name, whatever notation it is written in.

``birthPlace``, ``birth_place``, ``birth-place``, ``schema:birthPlace`` and ``http://…/terms#birthPlace`` are two words.
Nothing is translated: abbreviations, other languages and other scripts stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.catalogue import english

_ADDRESS: Final = re.compile(r"\s*[(<\[]?\s*[a-z][a-z0-9+.-]*://(?P<path>[^\s)>\]]*)[)>\]]?\s*$", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^[A-Za-z_][\w.-]{0,30}:(?=[^\s:/])")
_PATH: Final = re.compile(r"(?:/\w+)*/(?P<last>\w+)", re.ASCII)
"""``/location/location/contains``: what stands last names the relation."""
_HUMP: Final = re.compile(
    r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])|(?<=[a-z])(?=\d+$)"
)
_GAPS: Final = re.compile(r"[\s_/.,;{}]+|(?<=\w)-+(?=\w)")
_BRACES: Final = str.maketrans({"{": "(", "}": ")"})
_WORD: Final = re.compile(r"[A-Za-z]+|\d+")
_JOINERS: Final = "\u200c\u200d"
"""Invisible, but part of the spelling of Persian and of Indian scripts."""
_CAPITALS: Final = 2
"""So many capitals in a row, beside small letters, are an abbreviation."""


@dataclass(frozen=True, slots=True)
class RelationName:
    """A name taken apart.

    Attributes:
        words: what is left between signs and capitals, small letters but for abbreviations and other scripts.
        plain: whether a reader of English could know every word: letters of its alphabet and digits only, no other
            sign that the words would lose ("method+").
        shown: the name as it stands, without braces and without the address or prefix before it.
        written: the words with the capitals that they have of their own and not for being joined to others.
    """

    words: tuple[str, ...]
    plain: bool
    shown: str
    written: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words as they are written into a frame; the name itself where it has none."""
        return " ".join(self.words) or self.shown

    @property
    def own_text(self) -> str:
        """The same with the words' own capitals, for a name that may not be English: German nouns have them."""
        return " ".join(self.written) or self.shown


def parse_name(name: str) -> RelationName:
    """Take a relation's name apart; never empty."""
    visible = "".join(
        c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) not in {"Cc", "Cf"} or c in _JOINERS
    )
    local = _local(visible)
    shown = " ".join(local.translate(_BRACES).split()) or "?"
    bare = local.strip("_ ")
    pieces = [[word for word in _HUMP.split(part) if word.strip()] for part in _GAPS.split(bare)]
    words = tuple(word for piece in pieces for word in piece)
    whole = bare.upper() == bare and len(words) > 1
    spelt = tuple(_small(word, whole=whole) for word in words)
    plain = bool(spelt) and all(map(_WORD.fullmatch, spelt)) and spelt[0].isalpha()
    return RelationName(spelt, plain, shown, spelt if whole else tuple(_own_capitals(pieces)))


def _own_capitals(pieces: Iterable[Sequence[str]]) -> Iterator[str]:
    """The words of pieces that signs part; behind the first of a piece a capital may only part it from that."""
    parted = list(pieces)
    german = any(word.lower() in english.GERMAN for piece in parted for word in piece)
    for piece in parted:
        for at, word in enumerate(piece):
            kept = at == 0 or (german and word.lower() not in english.GERMAN)
            yield word if kept else _small(word, whole=False)


def _local(name: str) -> str:
    """The name without an address: its last part where there is nothing else."""
    found = _ADDRESS.search(name)
    if found:
        before = name[: found.start()].strip()
        parts = [part for part in re.split(r"[#/?=]", found["path"]) if part]
        name = before or (parts[-1] if parts else name)
    if found := _PATH.fullmatch(name.strip()):
        name = found["last"]
    return _PREFIX.sub("", name)


def _small(word: str, *, whole: bool) -> str:
    """Small letters, but abbreviations stay; a name that is all capitals says nothing by them."""
    if not whole and len(word) >= _CAPITALS and word.isupper():
        return word
    return word.lower() if word.isascii() or whole else word[:1].lower() + word[1:] if word[1:].islower() else word
