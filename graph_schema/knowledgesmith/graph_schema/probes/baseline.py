"""The options-only baseline: how well the right option can be told without the question.

Trained on half of the anchors, tested on the other half: how often an option was right when it was offered, the same
for its words, its place, and whether it is the longest or the shortest. What it gains over chance, a model can gain
without knowing any fact.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.draw import draw_key
from knowledgesmith.graph_schema.shares import wilson_interval

ALL: Final = "ALL"
_SMOOTHING: Final = 2.0
_WORDS: Final = 6
_WORD: Final = re.compile(r"\w+")
_MIN_TEST: Final = 30
Row = tuple[str, str, tuple[str, ...], tuple[str, ...], int]
"""Anchor, kind, option texts, option uids, place of the right one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Share of the test half that the baseline gets right, with a Wilson interval of 95 %, and that of guessing."""

    kind: str
    tested: int
    right: int
    accuracy: float
    low: float
    high: float
    chance: float

    @property
    def above_chance(self) -> bool:
        """Whether chance lies below the interval, for enough probes to say so."""
        return self.tested >= _MIN_TEST and self.low > self.chance


def options_only(tables: Callable[[], Iterable[Table]], *, seed: int) -> tuple[Baseline, ...]:
    """Baselines for each kind and for all; ``tables`` is read twice.

    Phrasings of one question have one anchor, so none stands in both halves.
    """
    offered: Counter[str] = Counter()
    chosen: Counter[str] = Counter()
    for _, kind, texts, uids, answer in _rows(tables(), seed=seed, half=0):
        for place, features in enumerate(_features(kind, texts, uids)):
            offered.update(features)
            if place == answer:
                chosen.update(features)
    tested: Counter[str] = Counter()
    right: Counter[str] = Counter()
    expected: dict[str, float] = {}
    for _, kind, texts, uids, answer in _rows(tables(), seed=seed, half=1):
        share = 1.0 / len(texts)
        scores = [_score(features, offered, chosen, share) for features in _features(kind, texts, uids)]
        hit = scores.index(max(scores)) == answer
        for name in (ALL, kind):
            tested[name] += 1
            right[name] += hit
            expected[name] = expected.get(name, 0.0) + share
    return tuple(_baseline(name, tested[name], right[name], expected[name]) for name in sorted(tested))


def _rows(tables: Iterable[Table], *, seed: int, half: int) -> Iterator[Row]:
    columns = ("anchor", "kind", "options", "option_uids", "answers")
    last = ("", 0)
    for table in tables:
        for anchor, kind, texts, uids, answers in zip(*(table[name].to_pylist() for name in columns), strict=True):
            if anchor != last[0]:
                last = (anchor, draw_key(seed, "half", anchor) & 1)
            if last[1] == half:
                yield anchor, kind, tuple(texts), tuple(uids), answers[0]


def _features(kind: str, texts: Sequence[str], uids: Sequence[str]) -> list[list[str]]:
    lengths = [len(text) for text in texts]
    shortest, longest = min(lengths), max(lengths)
    return [
        [
            f"{kind} uid {uid}",
            f"{kind} place {place}/{len(texts)}",
            f"{kind} length {(length == shortest) - (length == longest)}",
            *(f"{kind} word {word}" for word in _WORD.findall(text.casefold())[:_WORDS]),
        ]
        for place, (uid, text, length) in enumerate(zip(uids, texts, lengths, strict=True))
    ]


def _score(features: Sequence[str], offered: Counter[str], chosen: Counter[str], share: float) -> float:
    """Sum of the logarithms of how much more often than by chance an option with each feature was right."""
    return sum(
        math.log((chosen[name] + _SMOOTHING * share) / (offered[name] + _SMOOTHING) / share) for name in features
    )


def _baseline(kind: str, tested: int, right: int, expected: float) -> Baseline:
    low, high = wilson_interval(right, tested)
    return Baseline(
        kind=kind,
        tested=tested,
        right=right,
        accuracy=right / tested,
        low=low,
        high=high,
        chance=expected / tested,
    )
