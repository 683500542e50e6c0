"""The draws of :mod:`draw` for many questions at once: the same options for the same question and seed.

Where two candidates could be taken for each other, or the first draws do not suffice, the question falls back to the
draw of one question, so that both ways agree everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.draw import GOLDEN, SMALL_POOL, TRIES, draw_distractors, streams

NOBODY: Final = -1
"""Index that stands for no entity."""

Indices = NDArray[np.int64]
Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Questions of one pool that need distractors.

    Attributes:
        pool: dense indices to draw from.
        shown: the option that is there already, or :data:`NOBODY`. Shape ``(questions,)``.
        banned: pairs of question number and dense index that must not be drawn. Two arrays of shape ``(pairs,)``.
        keys: one per question. Shape ``(questions,)``.
        count: distractors a question.
    """

    pool: Indices
    shown: Indices
    banned: tuple[Indices, Indices]
    keys: Keys
    count: int

    def only(self, rows: Indices) -> Wanted:
        """Some of the questions; ``rows`` rise."""
        places = np.searchsorted(rows, self.banned[0])
        here = contains(rows, self.banned[0])
        return Wanted(
            pool=self.pool,
            shown=self.shown[rows],
            banned=(places[here], self.banned[1][here]),
            keys=self.keys[rows],
            count=self.count,
        )


def draw_many(lexicon: Lexicon, wanted: Wanted) -> Indices:
    """Distractors in drawn order, padded with :data:`NOBODY`. Shape ``(questions, count)``."""
    size = len(lexicon.entities)
    forbidden = np.unique(wanted.banned[0] * size + wanted.banned[1])
    candidates = _candidates(wanted.pool, wanted.keys)
    drawn = np.full((len(wanted.keys), wanted.count), NOBODY, dtype=np.int64)
    found = np.zeros(len(wanted.keys), dtype=np.int64)
    open_rows = np.arange(len(wanted.keys))
    for column in range(candidates.shape[1]):
        here = candidates[open_rows, column]
        fits = ~lexicon.ambiguous[here] & ~contains(forbidden, open_rows * size + here)
        fits &= (here != wanted.shown[open_rows]) & ~(drawn[open_rows] == here[:, None]).any(axis=1)
        rows = open_rows[fits]
        drawn[rows, found[rows]] = here[fits]
        found[rows] += 1
        open_rows = open_rows[found[open_rows] < wanted.count]
        if not len(open_rows):
            break
    doubtful = _may_be_confused(lexicon.clusters, drawn, wanted.shown)
    if len(wanted.pool) > SMALL_POOL:
        doubtful |= found < wanted.count
    _redraw(lexicon, wanted, np.flatnonzero(doubtful), forbidden, drawn)
    return drawn


def shuffle(options: Indices, keys: Keys) -> Indices:
    """Every row in drawn order, padding last; the order of :func:`draw.draw_options`."""
    sizes = (options != NOBODY).sum(axis=1)
    mixed = options.copy()
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        order = np.argsort(streams(keys[rows] ^ np.uint64(GOLDEN), int(size)), axis=1, kind="stable")
        mixed[rows, :size] = np.take_along_axis(options[rows, :size], order, axis=1)
    return mixed


def _candidates(pool: Indices, keys: Keys) -> Indices:
    """Members of the pool in drawn order: all of a small one, the first tries of a large one."""
    if len(pool) > SMALL_POOL:
        return pool[(streams(keys, TRIES) % np.uint64(len(pool))).astype(np.int64)]
    return pool[np.argsort(streams(keys, len(pool)), axis=1, kind="stable")]


def contains(ordered: Indices, values: Indices) -> NDArray[np.bool_]:
    """Which of the values stand in the ``ordered`` ones. Shape as ``values``."""
    if not len(ordered):
        return np.zeros(values.shape, dtype=np.bool_)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: NDArray[np.bool_] = ordered[places] == values
    return found


def _may_be_confused(clusters: Indices, drawn: Indices, shown: Indices) -> NDArray[np.bool_]:
    """Whether two options of a row share a name, perhaps over others."""
    options = np.concatenate([shown[:, None], drawn], axis=1)
    numbers = np.where(options == NOBODY, NOBODY, clusters[options])
    numbers.sort(axis=1)
    doubtful: NDArray[np.bool_] = ((numbers[:, 1:] == numbers[:, :-1]) & (numbers[:, 1:] != NOBODY)).any(axis=1)
    return doubtful


def _redraw(lexicon: Lexicon, wanted: Wanted, rows: Indices, forbidden: Indices, drawn: Indices) -> None:
    size = len(lexicon.entities)
    pool: Sequence[int] = wanted.pool.tolist()
    for row in rows.tolist():
        start, end = np.searchsorted(forbidden, [row * size, (row + 1) * size])
        excluded = [lexicon.entities[int(pair - row * size)].uid for pair in forbidden[start:end]]
        shown = [lexicon.entities[int(wanted.shown[row])].uid] if wanted.shown[row] != NOBODY else []
        key = int(wanted.keys[row])
        found = draw_distractors(lexicon, pool=pool, shown=shown, excluded=excluded, count=wanted.count, key=key)
        drawn[row] = NOBODY
        drawn[row, : len(found)] = [lexicon.index[uid] for uid in found]
