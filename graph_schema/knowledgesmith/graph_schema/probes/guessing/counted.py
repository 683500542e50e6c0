"""A guesser that counts: how often an option with a mark was right when it was offered, by questions of other anchors.

A mark is a number of what an option is or has: the entity itself, one of its words, its place, its type. What the
guesser knows of a question comes from the other folds, so nothing can be learned by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.probes.guessing.clues import FOLDS, NOTHING, Clue, Clues, Indices, Reals

_SMOOTHING: Final = 2.0
Marks = tuple[Indices, Indices]
"""Place of an offered option (row by row), and its mark; an option may have several. Shapes ``(marks,)``."""


def scores(clues: Clues, marks: Sequence[Marks]) -> Reals:
    """How likely each option is right by its marks, as a sum of log ratios. Shape ``(questions, options)``."""
    offered = clues.offered
    rows, places = np.nonzero(offered)
    folds = clues.folds[rows].astype(np.int64)
    right = places == clues.right[rows]
    share = 1.0 / offered.sum(axis=1)[rows]
    gains = np.zeros(len(rows))
    for which, numbers in marks:
        _, compact = np.unique(numbers, return_inverse=True)
        total = int(compact.max()) + 1 if len(compact) else 0
        cells = compact * FOLDS + folds[which]
        seen = np.bincount(cells, minlength=total * FOLDS).reshape(total, FOLDS)
        chosen = np.bincount(cells[right[which]], minlength=total * FOLDS).reshape(total, FOLDS)
        elsewhere = (seen.sum(axis=1)[compact] - seen.ravel()[cells]).astype(np.float64)
        hits = chosen.sum(axis=1)[compact] - chosen.ravel()[cells]
        expected = share[which]
        gain = np.log((hits + _SMOOTHING * expected) / (elsewhere + _SMOOTHING) / expected)
        gains += np.bincount(which, weights=gain, minlength=len(rows))
    found = np.zeros(offered.shape)
    found[rows, places] = gains
    return found


def counts(clues: Clues) -> Reals:
    """Scores by what options are and hold, and by their types. Shape ``(questions, options, 2)``."""
    return np.stack([scores(clues, option_marks(clues)), scores(clues, type_marks(clues))], axis=2)


def option_marks(clues: Clues) -> list[Marks]:
    """The marks that options have without their question."""
    rows, places = np.nonzero(clues.offered)
    here = np.arange(len(rows))
    options = clues.options[rows, places].astype(np.int64)
    of_words, words = clues.words.of(options)
    length = clues.values[:, :, Clue.LENGTH]
    longest = _extreme(clues, length.astype(np.float64))[rows, places]
    shortest = _extreme(clues, -length.astype(np.float64))[rows, places]
    return [
        (here, options),
        (here, (clues.groups[rows].astype(np.int64) << 32) + options),
        (of_words, words),
        place_marks(clues)[0],
        (here, longest.astype(np.int64) - shortest),
    ]


def place_marks(clues: Clues) -> list[Marks]:
    """The place of every option among how many."""
    rows, places = np.nonzero(clues.offered)
    sizes = clues.offered.sum(axis=1)[rows]
    return [(np.arange(len(rows)), sizes * 16 + places)]


def type_marks(clues: Clues) -> list[Marks]:
    """The type of every option, by what is asked, and how many of the options share it."""
    rows, places = np.nonzero(clues.offered)
    here = np.arange(len(rows))
    types = clues.types[rows, places].astype(np.int64)
    shared = ((clues.types[:, :, None] == clues.types[:, None, :]) & clues.offered[:, None, :]).sum(axis=2)
    return [(here, (clues.groups[rows].astype(np.int64) << 32) + types + 1), (here, shared[rows, places])]


def _extreme(clues: Clues, values: Reals) -> NDArray[np.bool_]:
    """Which options have the largest value of their question."""
    shown = np.where(clues.options == NOTHING, -np.inf, values)
    found: NDArray[np.bool_] = shown == shown.max(axis=1, keepdims=True)
    return found
