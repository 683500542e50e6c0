"""How a text looks to somebody who knows nothing: its words, runs of letters, length, numbers and capitals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from knowledgesmith.graph_schema.language.spans import units

_RUN: Final = 3
"""Letters of a run: shorter ones are shared by chance, longer ones miss the parts of compounds."""
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Look:
    """What shows in a text.

    ``words`` are words, or single characters in scripts that write no spaces; ``runs`` three letters of a word, or
    characters and pairs of them in those scripts. ``capitals`` is 0 where the script or the first sign has no case,
    1 for a small first letter, 2 for a capital, 3 where every letter is one. ``length`` counts characters.
    """

    folded: str
    words: frozenset[str]
    runs: frozenset[str]
    numbers: frozenset[str]
    length: int
    count: int
    capitals: int


@lru_cache(maxsize=1 << 16)
def look(text: str) -> Look:
    """The look of a name; names return often."""
    found = units(text)
    return Look(
        folded=" ".join(found),
        words=frozenset(found),
        runs=_runs(found),
        numbers=frozenset(_NUMBER.findall(text)),
        length=len(text),
        count=len(found),
        capitals=_capitals(text),
    )


def parts(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Words and runs of a text that is seen once."""
    found = units(text)
    return frozenset(found), _runs(found)


def _runs(found: Sequence[str]) -> frozenset[str]:
    runs: set[str] = set()
    before = ""
    for unit in found:
        if len(unit) >= _RUN:
            runs.update([unit[place : place + _RUN] for place in range(len(unit) - _RUN + 1)])
            before = ""
            continue
        runs.add(unit)
        if before:
            runs.add(before + unit)
        before = unit
    return frozenset(runs)


def _capitals(text: str) -> int:
    first = next((sign for sign in text if sign.isalnum()), "")
    if first.upper() == first.lower():
        return 0
    if first.islower():
        return 1
    return 3 if text.upper() == text and len(text) > 1 else 2


def same_start(one: str, other: str) -> int:
    """Characters at the start that two texts share."""
    if one[:1] != other[:1]:
        return 0
    for place, (here, there) in enumerate(zip(one, other, strict=False)):
        if here != there:
            return place
    return min(len(one), len(other))


def same_end(one: str, other: str) -> int:
    """Characters at the end that two texts share."""
    return same_start(one[::-1], other[::-1]) if one[-1:] == other[-1:] else 0
