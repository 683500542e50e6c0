"""A small learned guesser: a softmax regression over everything that shows, with the question (a conditional logit).

It learns in which direction each clue points, so that a set in which the right option *never* shares a word is as
easy for it as one in which it always does. It is tested on anchors that it has not seen. Only what was counted may not
point down: that an entity which is right elsewhere is wrong here is knowledge of those other facts, not of this one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from knowledgesmith.graph_schema.probes.guessing.clues import FOLDS, NOTHING, Clue, Clues, Indices, Reals
from knowledgesmith.graph_schema.probes.guessing.convex import Bound, minimise

_MOST: Final = 8_000
"""Questions to learn from; more do not change so few weights."""
_OWN: Final = 1_000
"""So many questions of one relation have weights of their own: what points up there may point down elsewhere."""
_RIDGE: Final = 1e-2
_STEPS: Final = 8


def learned_scores(clues: Clues, counted: Reals) -> Reals:
    """Scores of each option by weights that come from the other folds. Shape ``(questions, options)``.

    Args:
        clues: the questions.
        counted: scores of the counting guessers, which are more clues. Shape ``(questions, options, counted)``.
    """
    found = np.zeros(clues.offered.shape)
    sizes = np.bincount(clues.groups)
    own = np.where(sizes[clues.groups] >= _OWN, clues.groups, -1)
    for group in np.unique(own):
        rows = np.flatnonzero(own == group)
        found[rows] = _across(clues.only(rows), counted[rows])
    return found


def _across(clues: Clues, counted: Reals) -> Reals:
    found = np.zeros(clues.offered.shape)
    for fold in range(FOLDS):
        taught, asked = np.flatnonzero(clues.folds != fold), np.flatnonzero(clues.folds == fold)
        if not len(taught) or not len(asked):
            continue
        taught = taught[:: max(1, -(-len(taught) // _MOST))]
        shown = features(clues.only(taught), counted[taught])
        scale = np.sqrt((shown**2).mean(axis=(0, 1))) + 1e-9
        weights = _fit(shown / scale, clues.only(taught), counted.shape[2])
        for start in range(0, len(asked), _MOST):
            part = asked[start : start + _MOST]
            found[part] = (features(clues.only(part), counted[part]) / scale) @ weights
    return found


def _fit(shown: Reals, clues: Clues, counted: int) -> Reals:
    """Weights of most likelihood with a small ridge."""
    rows, width = np.arange(len(clues)), shown.shape[2]
    gone = np.where(clues.offered, 0.0, -np.inf)
    taught = shown[rows, clues.right].sum(axis=0)
    flat = shown.reshape(-1, width)
    ridge = _RIDGE * len(rows)

    def model(weights: Reals) -> tuple[float, Reals, Reals]:
        values = shown @ weights + gone
        values -= values.max(axis=1, keepdims=True)
        odds = np.exp(values)
        odds /= odds.sum(axis=1, keepdims=True)
        likelihood = np.log(odds[rows, clues.right]).sum()
        middle = np.einsum("qo,qof->qf", odds, shown)
        curve = flat.T @ (flat * odds.reshape(-1, 1)) - middle.T @ middle
        return (
            float(ridge * (weights @ weights) / 2 - likelihood),
            middle.sum(axis=0) - taught + ridge * weights,
            curve + ridge * np.eye(width),
        )

    return minimise(model, [limits(column, counted) for column in range(width)], steps=_STEPS)


def features(clues: Clues, counted: Reals) -> Reals:
    """Every clue as a value against the other options', and whether it is the most and the least.

    Shape ``(questions, options, features)``; by turns value, most and least, then the places.
    """
    offered = clues.offered
    sizes = offered.sum(axis=1)
    shown = np.concatenate([clues.values.astype(np.float64), counted], axis=2)
    shown[clues.options == NOTHING] = 0.0
    against = np.where(offered[:, :, None], shown - shown.sum(axis=1, keepdims=True) / sizes[:, None, None], 0.0)
    most, least = taken_shares(shown, clues.options), taken_shares(-shown, clues.options)
    # a place less its share of the options; the last one follows from the others
    share = (offered / sizes[:, None])[:, None, :-1]
    places = np.where(offered[:, :, None], np.eye(offered.shape[1])[None, :, :-1] - share, 0.0)
    return np.concatenate([against, most, least, places], axis=2)


def limits(column: int, counted: int) -> Bound:
    """Least and greatest weight of a feature: what was counted may only speak for an option.

    Args:
        column: of the features.
        counted: how many counted scores there are.
    """
    turn, place = divmod(column, len(Clue) + counted)
    if place < len(Clue) or turn > _LEAST:
        return (None, None)
    return (None, 0.0) if turn == _LEAST else (0.0, None)


_LEAST: Final = 2
"""The third of the turns of :func:`features`."""


def taken_shares(shown: Reals, options: Indices | np.ndarray) -> Reals:
    """The share of a guess that each option gets from somebody who takes the largest value; ties are shared.

    Shape as ``shown``, which is ``(questions, options, columns)``; less the share that chance gives.
    """
    offered = (options != NOTHING)[:, :, None]
    there = np.where(offered, shown, -np.inf)
    top = there >= there.max(axis=1, keepdims=True) - 1e-9
    found: Reals = np.where(offered, top / top.sum(axis=1, keepdims=True) - 1.0 / offered.sum(axis=1, keepdims=True), 0)
    return found
