"""Whether a set is fair: whether knowing nothing gets nobody further in it than chance, and at what price."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.generation.request import LeftOut
from knowledgesmith.graph_schema.probes.guessing.clues import Reader
from knowledgesmith.graph_schema.probes.guessing.guessers import Guess, Tally
from knowledgesmith.graph_schema.types.probes import ProbeKind

MOST_LEFT_OUT: Final = 0.5
"""A kind that lost more than this part of its questions is not fair: what is left is no picture of the graph."""


def unfair_because(guesses: Iterable[Guess], left_out: Mapping[str, LeftOut]) -> tuple[str, ...]:
    """Why a set is not fair, a line each; none where it is."""
    found = [
        f"{kind}: {share.left_out:,} of {share.askable:,} questions left out, since their answers show"
        for kind, share in sorted(left_out.items())
        if share.share > MOST_LEFT_OUT
    ]
    found += [
        f"{guess.kind}: guessed by {guess.guesser} in {guess.accuracy:.3f} ({guess.low:.3f} to {guess.high:.3f}), "
        f"by chance in {guess.chance:.3f}"
        for guess in guesses
        if not guess.fair
    ]
    return tuple(found)


class Survey:
    """Lets the guessers guess a stored set, table by table, and counts where the right options stand.

    ``letters`` counts questions by number of options and place of the right one.
    """

    def __init__(self, lexicon: Lexicon, *, seed: int) -> None:
        self._reader = Reader(lexicon, seed=seed)
        self._tally = Tally()
        self.letters: dict[int, Counter[int]] = {}

    def add(self, table: Table) -> None:
        """Take the next table."""
        self._reader.add(table)
        # sets are sorted by kind, so that all but the last kind of a table are complete
        for kind in self._reader.kinds[:-1]:
            self._judge(kind)

    def guesses(self) -> tuple[Guess, ...]:
        """What the guessers get right, once all tables were taken."""
        for kind in self._reader.kinds:
            self._judge(kind)
        return self._tally.guesses()

    def _judge(self, kind: ProbeKind) -> None:
        clues = self._reader.clues(kind)
        self._reader.forget(kind)
        self._tally.add(clues)
        for size, place in zip(clues.offered.sum(axis=1).tolist(), clues.right.tolist(), strict=True):
            self.letters.setdefault(size, Counter())[place] += 1


def guesses_of(tables: Iterable[Table], *, lexicon: Lexicon, seed: int) -> tuple[Guess, ...]:
    """What guessers get right of a stored set."""
    survey = Survey(lexicon, seed=seed)
    for table in tables:
        survey.add(table)
    return survey.guesses()


def to_text(guesses: Iterable[Guess], left_out: Mapping[str, LeftOut]) -> dict[str, str]:
    """Both as properties of a set's node."""
    shares = {kind: [share.askable, share.left_out] for kind, share in sorted(left_out.items())}
    return {"guesses": json.dumps([asdict(guess) for guess in guesses]), "left_out": json.dumps(shares)}


def from_text(properties: Mapping[str, Any]) -> tuple[tuple[Guess, ...], dict[str, LeftOut]]:
    """The inverse of :func:`to_text`; empty for a set that nobody has judged."""
    guesses = tuple(Guess(**members) for members in json.loads(properties.get("guesses") or "[]"))
    shares: dict[str, list[int]] = json.loads(properties.get("left_out") or "{}")
    return guesses, {kind: LeftOut(askable=both[0], left_out=both[1]) for kind, both in shares.items()}
