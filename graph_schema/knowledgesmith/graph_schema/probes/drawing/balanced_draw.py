"""Distractors of many questions at once from a weighted pool: whole sets, so that sets of options are balanced.

A set is drawn with replacement and taken only if nothing in it repeats, is right, or could be taken for another; so
sets occur in proportion to the product of their weights (:mod:`fairness`). The few questions for which no drawn set
fits take what the pool still holds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.graphs.lexicon import Lexicon
from knowledgesmith.graph_schema.probes.drawing.draw import streams
from knowledgesmith.graph_schema.probes.drawing.vector_draw import NOBODY, Indices, Wanted, contains, draw_many

_FIRST: Final = 4
_TRIES: Final = 24
"""Sets that are drawn for a question at first, and at most."""


def draw_sets(lexicon: Lexicon, wanted: Wanted, weights: NDArray[np.int64]) -> Indices:
    """Distractors in drawn order, padded with ``NOBODY``. Shape ``(questions, count)``.

    Args:
        lexicon: the graph's names.
        wanted: the questions; every member of the pool stands there once.
        weights: of the pool's members. Shape as the pool.
    """
    drawn = np.full((len(wanted.keys), wanted.count), NOBODY, dtype=np.int64)
    open_rows = np.arange(len(wanted.keys))
    if len(wanted.pool) >= wanted.count:
        forbidden = np.unique(wanted.banned[0] * len(lexicon.entities) + wanted.banned[1])
        ends = np.cumsum(weights)
        for tries in (_FIRST, _TRIES):
            open_rows = _fill(lexicon, wanted, open_rows, drawn, ends=ends, forbidden=forbidden, tries=tries)
            if not len(open_rows):
                return drawn
    drawn[open_rows] = draw_many(lexicon, wanted.only(open_rows))
    return drawn


def _fill(
    lexicon: Lexicon, wanted: Wanted, rows: Indices, drawn: Indices, *, ends: Indices, forbidden: Indices, tries: int
) -> Indices:
    """Give each of the rows the first set that fits; the rows for which none does."""
    numbers = streams(wanted.keys[rows], tries * wanted.count) % np.uint64(ends[-1])
    places = np.searchsorted(ends, numbers.astype(np.int64), side="right")
    sets = wanted.pool[places].reshape(len(rows), tries, wanted.count)
    shown = np.broadcast_to(wanted.shown[rows, None, None], (len(rows), tries, 1))
    bad = contains(forbidden, rows[:, None, None] * len(lexicon.entities) + sets) | lexicon.ambiguous[sets]
    fits: NDArray[np.bool_] = ~np.logical_or.reduce(bad, axis=2)
    options = np.concatenate([shown, sets], axis=2)
    names = np.where(options == NOBODY, NOBODY, lexicon.clusters[options])
    for one in range(options.shape[2]):
        for other in range(one):
            fits &= options[:, :, one] != options[:, :, other]
            fits &= (names[:, :, one] != names[:, :, other]) | (names[:, :, one] == NOBODY)
    found: NDArray[np.bool_] = np.logical_or.reduce(fits, axis=1)
    drawn[rows[found]] = sets[found, fits[found].argmax(axis=1)]
    return rows[~found]
