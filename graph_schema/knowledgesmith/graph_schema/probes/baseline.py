"""The options-only baseline: how well the right option can be told without the question.

The guesser knows how often an option was right when it was offered, the same for its words, its place, and whether it
is the longest or the shortest. It is asked about every question once and has learned from the others: the anchors fall
into :data:`FOLDS` parts, and what it knows of a part comes from the rest. What it gains over chance, a model can gain
without knowing any fact.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from knowledgesmith.graph_schema.probes.columns import Table
from knowledgesmith.graph_schema.probes.draw import draw_key
from knowledgesmith.graph_schema.shares import wilson_interval

ALL: Final = "ALL"
FOLDS: Final = 5
_SMOOTHING: Final = 2.0
_WORDS: Final = 6
_WORD: Final = re.compile(r"\w+")
_MIN_TEST: Final = 30
_ALPHA: Final = 0.001
"""An audit tests some seven baselines, so one in twenty would cry wolf in every third."""
Indices = NDArray[np.int64]
Row = tuple[str, int, tuple[str, ...], tuple[str, ...], int]
"""Kind, fold, option texts, option uids, place of the right one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Share of the questions that the baseline gets right, with a Wilson interval of 95 %, and that of guessing."""

    kind: str
    tested: int
    right: int
    accuracy: float
    low: float
    high: float
    chance: float

    @property
    def above_chance(self) -> bool:
        """Whether guessing would do as well in less than one of a thousand sets, for enough questions to say so."""
        return self.tested >= _MIN_TEST and _as_good(self.right, self.tested, self.chance) < _ALPHA


def options_only(tables: Callable[[], Iterable[Table]], *, seed: int) -> tuple[Baseline, ...]:
    """Baselines for each kind and for all; ``tables`` is read twice.

    Phrasings of one question have the same options and count once; questions about one anchor are in one fold.
    """
    guesser = _Guesser()
    for table in tables():
        guesser.learn(_rows(table, seed=seed))
    tested: Counter[str] = Counter()
    right: Counter[str] = Counter()
    expected: dict[str, float] = {}
    for table in tables():
        rows = _rows(table, seed=seed)
        for (kind, _, texts, _, answer), guess in zip(rows, guesser.guess(rows), strict=True):
            for name in (ALL, kind):
                tested[name] += 1
                right[name] += guess == answer
                expected[name] = expected.get(name, 0.0) + 1.0 / len(texts)
    return tuple(_baseline(name, tested[name], right[name], expected[name]) for name in sorted(tested))


def _rows(table: Table, *, seed: int) -> list[Row]:
    """The questions of a table, each by its first phrasing."""
    columns = ("anchor", "kind", "path", "fact_ids", "options", "option_uids", "answers")
    found: list[Row] = []
    about: tuple[str, str] = ("", "")
    fold = 0
    seen: set[tuple[tuple[str, ...], ...]] = set()
    for anchor, kind, path, facts, texts, uids, answers in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        if (anchor, kind) != about:
            about, fold = (anchor, kind), draw_key(seed, "fold", anchor) % FOLDS
            seen.clear()
        question = (tuple(path), tuple(facts), tuple(uids))
        if question not in seen:
            seen.add(question)
            found.append((kind, fold, tuple(texts), tuple(uids), answers[0]))
    return found


class _Guesser:
    """Counts how often options with a feature were offered, and were right, in each fold."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._offered: Indices = np.zeros((1 << 10, FOLDS), dtype=np.int64)
        self._chosen: Indices = np.zeros((1 << 10, FOLDS), dtype=np.int64)

    def learn(self, rows: Sequence[Row]) -> None:
        """Count the options of some questions."""
        features, options, folds, right, _ = self._encoded(rows)
        while len(self._offered) < len(self._numbers):
            self._offered, self._chosen = (np.concatenate([c, np.zeros_like(c)]) for c in (self._offered, self._chosen))
        np.add.at(self._offered, (features, folds[options]), 1)
        np.add.at(self._chosen, (features, folds[options]), right[options])

    def guess(self, rows: Sequence[Row]) -> Iterator[int]:
        """For each question, the option with the features that were right most often, by the other folds."""
        features, options, folds, _, shares = self._encoded(rows)
        where = (features, folds[options])
        offered = self._offered.sum(axis=1)[features] - self._offered[where]
        chosen = self._chosen.sum(axis=1)[features] - self._chosen[where]
        share = shares[options]
        gains = np.log((chosen + _SMOOTHING * share) / (offered + _SMOOTHING) / share)
        scores = np.bincount(options, weights=gains, minlength=len(folds)).tolist()
        start = 0
        for _, _, texts, _, _ in rows:
            mine = scores[start : start + len(texts)]
            yield mine.index(max(mine))
            start += len(texts)

    def _encoded(self, rows: Sequence[Row]) -> tuple[Indices, Indices, Indices, Indices, NDArray[np.float64]]:
        """Features and the option of each; then by option: fold, whether it is right, its share by chance."""
        features: list[int] = []
        sizes: list[int] = []
        by_option: list[tuple[int, bool, float]] = []
        for kind, fold, texts, uids, answer in rows:
            for place, names in enumerate(_features(kind, texts, uids)):
                features += [self._numbers.setdefault(name, len(self._numbers)) for name in names]
                sizes.append(len(names))
                by_option.append((fold, place == answer, 1.0 / len(texts)))
        folds, right, shares = zip(*by_option, strict=True) if by_option else ((), (), ())
        return (
            np.array(features, dtype=np.int64),
            np.repeat(np.arange(len(sizes)), sizes),
            np.array(folds, dtype=np.int64),
            np.array(right, dtype=np.int64),
            np.array(shares, dtype=np.float64),
        )


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


def _as_good(right: int, tested: int, chance: float) -> float:
    """Probability of so many right answers or more by guessing."""
    return float(stats.binom.sf(right - 1, tested, chance))


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
