"""The words of a relation's name, whatever notation it is written in.

``birthPlace``, ``birth_place``, ``birth-place``, ``schema:birthPlace`` and ``http://…/terms#birthPlace`` are two words.
Nothing is translated or looked up: abbreviations, other languages and other scripts stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

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
    """

    words: tuple[str, ...]
    plain: bool
    shown: str

    @property
    def text(self) -> str:
        """The words as they are written into a frame; the name itself where it has none."""
        return " ".join(self.words) or self.shown


def parse_name(name: str) -> RelationName:
    """Take a relation's name apart; never empty."""
    visible = "".join(
        c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) not in {"Cc", "Cf"} or c in _JOINERS
    )
    local = _local(visible)
    shown = " ".join(local.translate(_BRACES).split()) or "?"
    bare = local.strip("_ ")
    words = tuple(word for part in _GAPS.split(bare) for word in _HUMP.split(part) if word.strip())
    whole = bare.upper() == bare and len(words) > 1
    spelt = tuple(_small(word, whole=whole) for word in words)
    return RelationName(spelt, bool(spelt) and all(map(_WORD.fullmatch, spelt)) and spelt[0].isalpha(), shown)


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
