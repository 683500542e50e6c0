"""Which questions of a kind are kept so that nothing that shows points to the right option, or away from it.

Let ``g`` be what the right option of a question shows beyond the average of its options: more shared words, the right
place, the guess of a guesser less chance. No guesser that adds such clues up gains anything where the ``g`` of the kept
questions sum to zero: that is where the likelihood of a conditional logit is greatest with no weight at all. Of the
ways to keep parts ``w`` of the questions with ``sum(w * g) = 0``, the one of largest entropy is
``w = 1 / (1 + exp(weights @ g - BASE))``, and its few weights minimise a convex function. A penalty on their sum leaves
alone what could be chance: few questions are not thinned for noise (Hainmueller, Political Analysis 20, 2012, for
weights; Tibshirani 1996 for the penalty).

Both directions count: a set in which the right option shares *no* words would be as easy as one in which it does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledgesmith.graph_schema.probes.drawing.draw import draw_key, streams
from knowledgesmith.graph_schema.probes.drawing.pools import FEWEST
from knowledgesmith.graph_schema.probes.guessing.clues import Clues, Indices, Reals
from knowledgesmith.graph_schema.probes.guessing.convex import Bound, minimise
from knowledgesmith.graph_schema.probes.guessing.counted import counts
from knowledgesmith.graph_schema.probes.guessing.guessers import ROOM, hits
from knowledgesmith.graph_schema.probes.guessing.learned import features, limits
from knowledgesmith.graph_schema.types.probes import ProbeKind

_BASE: Final = 12.0
"""Log odds with which a question stays that no clue speaks against."""
_NOISE: Final = (2.0, 0.7)
_NOISY: Final = (200, 2_000)
"""Standard deviations of a sum that chance explains, of few questions and of many: beyond it a clue is balanced. The
fewer there are, the more of them it would cost to balance what is no pattern at all."""
_TOLERATED: Final = 0.01
"""Standard deviations by which a clue may point to the right option on average, however many questions there are."""
_GROUP: Final = 150
"""So many questions of one relation are balanced by themselves; the others all together."""
_MOST: Final = 30_000
"""Questions that tell the weights."""
_SMALL: Final = 4_000
"""Of so many questions the last unevenness is taken away one by one."""
_PLACED: Final = 200
"""Of fewer questions only those are left out that put one place further ahead than a draw often does."""
_ROUNDS: Final = 6
_AT_LEAST: Final = 3
_STRICTER: Final = 0.6
"""Part of what a round left to chance that the next one does: a guesser that adds clues up still gained too much."""
_LATER: Final = 0.6
"""Part of what a later round would leave out, since there is less to be gained."""
_ENOUGH: Final = 0.005
"""A round that leaves out a smaller part is the last."""
_GAIN: Final = 0.02
"""No guesser may gain more than this over chance, or a round follows."""
_LOT: Final = draw_key(0, "thinning")
_FLAT: Final = 0.02
"""Curvature that is added where nothing is doubtful yet: steps stay finite."""
_GRAIN: Final = 64.0
"""Weights are whole parts of this, so that no choice hangs on the last bit of a sum."""


def kept(clues: Clues) -> NDArray[np.bool_]:
    """Which questions to keep. Shape ``(questions,)``."""
    stays = np.ones(len(clues), dtype=np.bool_)
    if len(clues) < FEWEST:
        return stays
    for turn in range(_ROUNDS):
        rows = np.flatnonzero(stays)
        if len(rows) < 2:
            break
        part = clues.only(rows)
        if turn and _is_even(part):
            break
        found = _one_round(part, counts(part), turn)
        stays[rows] = found
        if (~found).sum() <= _ENOUGH * len(rows) and turn >= _AT_LEAST:
            break
    return stays


def _is_even(clues: Clues) -> bool:
    """Whether no guesser gains much: so little that the interval of its share ends within the room, where it can."""
    chance = float((1.0 / clues.offered.sum(axis=1)).mean())
    error = np.sqrt(chance * (1.0 - chance) / len(clues))
    spare = ROOM - 2.0 * error
    # of too few questions for a narrow interval only what chance cannot be is followed up
    room = min(_GAIN, spare) if spare > error / 2.0 else 2.0 * error
    return all(float(found.mean()) <= chance + room for _, found in hits(clues))


def _one_round(clues: Clues, counted: Reals, turn: int) -> NDArray[np.bool_]:
    found = np.zeros(len(clues), dtype=np.bool_)
    sizes = np.bincount(clues.groups)
    own = np.where(sizes[clues.groups] >= _GROUP, clues.groups, -1)
    for group in np.unique(own):
        rows = np.flatnonzero(own == group)
        found[rows] = _balanced(clues.only(rows), counted[rows], turn)
    return found


def _balanced(clues: Clues, counted: Reals, turn: int) -> NDArray[np.bool_]:
    """Keep parts of the questions of one relation."""
    taught = np.arange(0, len(clues), max(1, -(-len(clues) // _MOST)))
    shown = _right(clues.only(taught), counted[taught])
    scale = np.sqrt((shown**2).mean(axis=0))
    used = np.flatnonzero(scale > 1e-6)
    scale = scale[used]
    weights = _weights(shown[:, used] / scale, [limits(column, counted.shape[2]) for column in used.tolist()], turn)
    if not weights.any():
        return np.ones(len(clues), dtype=np.bool_)
    lots = streams(clues.keys ^ np.uint64(_LOT), turn + 1)[:, turn].astype(np.float64) / 2.0**64
    stays = np.zeros(len(clues), dtype=np.bool_)
    for start in range(0, len(clues), _MOST):
        part = slice(start, start + _MOST)
        rows = np.arange(len(clues))[part]
        here = _right(clues.only(rows), counted[part])[:, used] / scale
        share = 1.0 if turn == 0 else _LATER
        stays[part] = lots[part] < 1.0 - share * (1.0 - _part(here, weights))
        if len(clues) <= _SMALL:
            _even_out(here, stays)
    return stays


def _right(clues: Clues, counted: Reals) -> Reals:
    """What the right options show beyond the others. Shape ``(questions, features)``."""
    shown: Reals = features(clues, counted)[np.arange(len(clues)), clues.right]
    return shown


def _part(shown: Reals, weights: Reals) -> Reals:
    found: Reals = 1.0 / (1.0 + np.exp(np.clip(shown @ weights - _BASE, -50, 50)))
    return found


def _weights(shown: Reals, bounds: list[Bound], turn: int) -> Reals:
    """Weights of the features, none for what chance explains. Shape ``(features,)``."""
    count = len(shown)

    def model(weights: Reals) -> tuple[float, Reals, Reals]:
        against = _BASE - shown @ weights
        stay = 1.0 / (1.0 + np.exp(-np.clip(against, -50, 50)))
        curve = shown.T @ (shown * (stay * (1.0 - stay) + _FLAT)[:, None])
        return float(np.logaddexp(0.0, against).sum()), -(stay @ shown), curve

    penalty = max(_noise(count) * np.sqrt(count), _TOLERATED * count) * _STRICTER**turn
    weights = minimise(model, bounds, penalty=penalty)
    return np.round(weights * _GRAIN) / _GRAIN


def _noise(count: int) -> float:
    """Standard deviations of a sum over so many questions that are left to chance."""
    return float(np.interp(np.log(max(count, 1)), np.log(_NOISY), _NOISE))


def _even_out(shown: Reals, stays: NDArray[np.bool_]) -> None:
    """Leave out, or take back, the question that evens the sums most, while they are beyond what chance explains."""
    sums = shown[stays].sum(axis=0)
    sizes = (shown**2).sum(axis=1)
    for _ in range(int(stays.sum()) // 8):
        beyond = np.sign(sums) * np.maximum(np.abs(sums) - _noise(len(shown)) * np.sqrt(stays.sum()), 0.0)
        signs = np.where(stays, -1.0, 1.0)
        gains = np.round(-2.0 * signs * (shown @ beyond) - sizes, 6)
        best = int(gains.argmax())
        if gains[best] <= 0.0:
            return
        sums += signs[best] * shown[best]
        stays[best] = not stays[best]


def evenly_placed(clues: Clues, stays: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the questions that stay, as many with the right option at each place, by the number of options.

    Of statements, also as many true ones as false ones. Those that are left out come last in a drawn order. Shape
    ``(questions,)``.
    """
    if len(clues) < FEWEST:
        return stays
    found = np.zeros(len(clues), dtype=np.bool_)
    sizes = clues.offered.sum(axis=1)
    for size in np.unique(sizes):
        mine = np.flatnonzero(stays & (sizes == size))
        part = clues.only(mine)
        cells = int(size) * (2 if clues.kind is ProbeKind.CONFLICT else 1)
        fewest = int(np.bincount(cells_of(part), minlength=cells).min())
        if len(mine) < _PLACED:
            fewest = max(fewest, int(np.ceil((len(mine) + np.sqrt(len(mine))) / cells)))
        found[mine[ranks_by_place(part) < fewest]] = True
    return found


def cells_of(clues: Clues) -> Indices:
    """A number for the place of the right option, and of statements for whether they are true."""
    places = clues.right.astype(np.int64)
    if clues.kind is not ProbeKind.CONFLICT:
        return places
    true = clues.options[np.arange(len(clues)), clues.right] > 0
    return places * 2 + true


def ranks_by_place(clues: Clues) -> Indices:
    """How many questions of the same cell (:func:`cells_of`) come before, in a drawn order."""
    order = np.argsort(streams(clues.keys ^ np.uint64(_LOT), 1)[:, 0], kind="stable")
    cells = cells_of(clues)
    ranks = np.zeros(len(clues), dtype=np.int64)
    for cell in np.unique(cells):
        mine = order[cells[order] == cell]
        ranks[mine] = np.arange(len(mine))
    return ranks
