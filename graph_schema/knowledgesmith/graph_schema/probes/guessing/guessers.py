"""Guessers that know nothing: how often each finds the right option by what shows, with an interval and chance.

The unit is the question: its phrasings count once. Where several options look alike to a guesser, it takes one of them
by lot, so each counts in part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy import stats

from knowledgesmith.graph_schema.probes.guessing.clues import Clue, Clues, Reals
from knowledgesmith.graph_schema.probes.guessing.counted import counts, place_marks, scores
from knowledgesmith.graph_schema.probes.guessing.learned import learned_scores, taken_shares
from knowledgesmith.graph_schema.types.shares import wilson_interval

ALL: Final = "ALL"
ROOM: Final = 0.05
"""So much above chance may the upper end of the interval be."""
ENOUGH: Final = 2_000
"""Questions whose interval is narrow enough to be held to :data:`ROOM`; of fewer only what chance cannot be counts."""
_ALPHA: Final = 0.001
"""Some hundred guesses are judged in a set, so one in twenty would cry wolf in every one."""


class Guesser(StrEnum):
    """What the right option is guessed by."""

    SHARED_WORDS = "shared_words"
    SHARED_WORDS_PART = "shared_words_part"
    SHARED_LETTERS = "shared_letters"
    SAME_BEGINNING = "same_beginning"
    SAME_ENDING = "same_ending"
    LONGEST = "longest"
    SHORTEST = "shortest"
    NEAREST_LENGTH = "nearest_length"
    NUMBERS = "numbers"
    CAPITALS = "capitals"
    POSITION = "position"
    TYPE = "type"
    OPTIONS_ONLY = "options_only"
    LEARNED = "learned"


_BY_CLUE: Final[Mapping[Guesser, tuple[Clue, int]]] = {
    Guesser.SHARED_WORDS: (Clue.WORDS, 1),
    Guesser.SHARED_WORDS_PART: (Clue.WORDS_SHARE, 1),
    Guesser.SHARED_LETTERS: (Clue.LETTERS_SHARE, 1),
    Guesser.SAME_BEGINNING: (Clue.BEGINNING, 1),
    Guesser.SAME_ENDING: (Clue.ENDING, 1),
    Guesser.LONGEST: (Clue.LENGTH, 1),
    Guesser.SHORTEST: (Clue.LENGTH, -1),
    Guesser.NEAREST_LENGTH: (Clue.NEARNESS, 1),
    Guesser.NUMBERS: (Clue.NUMBERS, 1),
    Guesser.CAPITALS: (Clue.CAPITALS, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How often one guesser is right about the questions of a kind (or of all), with a Wilson interval of 95 %."""

    kind: str
    guesser: str
    tested: int
    right: float
    accuracy: float
    low: float
    high: float
    chance: float

    @property
    def above_chance(self) -> bool:
        """Whether guessing would do as well in less than one of a thousand sets of as many questions."""
        tail = float(stats.binom.sf(np.ceil(self.right - 1e-9) - 1, self.tested, self.chance))
        return tail < _ALPHA

    @property
    def within(self) -> bool:
        """Whether the interval ends below chance and five points."""
        return self.high <= self.chance + ROOM

    @property
    def fair(self) -> bool:
        """Whether nothing is held against the set: within the room, or too few questions to say that it is not."""
        return self.within or (self.tested < ENOUGH and not self.above_chance)


def hits(clues: Clues) -> Iterator[tuple[Guesser, Reals]]:
    """By guesser, the share of its guess that the right option of every question gets. Shapes ``(questions,)``."""
    for guesser, (clue, sign) in _BY_CLUE.items():
        yield guesser, _hits(clues, sign * clues.values[:, :, clue].astype(np.float64))
    yield Guesser.POSITION, _hits(clues, scores(clues, place_marks(clues)))
    counted = counts(clues)
    yield Guesser.TYPE, _hits(clues, counted[:, :, 1])
    yield Guesser.OPTIONS_ONLY, _hits(clues, counted[:, :, 0])
    yield Guesser.LEARNED, _hits(clues, learned_scores(clues, counted))


def _hits(clues: Clues, shown: Reals) -> Reals:
    # a last bit must not part what looks alike
    found = taken_shares(np.round(shown, 6)[:, :, None], clues.options)[:, :, 0]
    taken: Reals = found[np.arange(len(clues)), clues.right] + 1.0 / clues.offered.sum(axis=1)
    return taken


class Tally:
    """Sums up what guessers get right, kind by kind."""

    def __init__(self) -> None:
        self._right: dict[tuple[str, Guesser], float] = {}
        self._tested: Counter[str] = Counter()
        self._expected: dict[str, float] = {}

    def add(self, clues: Clues) -> None:
        """Let all guessers guess some questions of one kind."""
        if not len(clues):
            return
        chance = float((1.0 / clues.offered.sum(axis=1)).sum())
        names = (ALL, clues.kind.value)
        for name in names:
            self._tested[name] += len(clues)
            self._expected[name] = self._expected.get(name, 0.0) + chance
        for guesser, found in hits(clues):
            for name in names:
                self._right[name, guesser] = self._right.get((name, guesser), 0.0) + float(found.sum())

    def guesses(self) -> tuple[Guess, ...]:
        """All guessers for all questions together and for each kind, in the order of :class:`Guesser`."""
        order = list(Guesser)
        return tuple(
            guess_of(kind, guesser.value, right=right, tested=self._tested[kind], expected=self._expected[kind])
            for (kind, guesser), right in sorted(
                self._right.items(), key=lambda item: (item[0][0], order.index(item[0][1]))
            )
        )


def guess_of(kind: str, guesser: str, *, right: float, tested: int, expected: float) -> Guess:
    """A row of the table; ``expected`` is how many right answers chance gives."""
    low, high = wilson_interval(right, tested)
    return Guess(
        kind=kind,
        guesser=guesser,
        tested=tested,
        right=right,
        accuracy=right / tested,
        low=low,
        high=high,
        chance=expected / tested,
    )
