"""How often an answer may be right, and how options are drawn, so that a set of options says nothing about the answer.

Let an answer be right in the share ``p`` of the questions that ask for the same. If the options of ``n`` are a draw of
``n`` different answers with inclusion probability ``n * p`` each, every set of options occurs with each of its members
as the right one equally often. The draw of largest entropy with given inclusion probabilities takes a set with
probability proportional to the product of its members' weights (Chen, Dempster and Liu, Biometrika 81, 1994); the
weights are found by their iteration. An answer with a share above ``1 / n`` cannot be balanced: its questions are left
out now and then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROOM: Final = 0.9
"""Most of ``1 / n`` that the share of an answer takes up, since an answer can be no option of some questions."""
_FEW: Final = 6
"""So few answers may be told apart better without the rarest."""
_ROUNDS: Final = 200
_CLOSE: Final = 1e-9
_WHOLE: Final = float(1 << 40)
"""Weights become whole numbers of about this sum, so that no draw hangs on the last bit of a fraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fair:
    """``options`` of a question; ``parts`` of the questions with an answer that are asked, 1 where none is named."""

    options: int
    parts: Mapping[int, float]


def fair_parts(counts: Mapping[int, int], *, arity: int) -> Fair:
    """Which part of the questions with each answer to ask, of at most ``arity`` options.

    Of a few very uneven answers, the rarest are given up where that leaves more to be asked. Questions that all have
    one answer leave one of them.

    Args:
        counts: questions by answer, at least one.
        arity: most options of a question.
    """
    if len(counts) == 1:
        return Fair(options=arity, parts={answer: 1.0 / count for answer, count in counts.items()})
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    sizes = range(2, len(ordered) + 1) if len(ordered) <= _FEW else (len(ordered),)
    _, most, limit = max(_worth([count for _, count in ordered[:size]], arity) for size in sizes)
    parts = {answer: limit / count for answer, count in ordered[:most] if count > limit}
    return Fair(options=min(arity, most), parts=parts | {answer: 0.0 for answer, _ in ordered[most:]})


def _worth(counts: Sequence[int], arity: int) -> tuple[float, int, float]:
    """Bits that the questions with these answers (falling counts) ask for, the number of answers, and the limit."""
    options = min(arity, len(counts))
    limit = _limit(counts, largest=max(1.0 / len(counts), _ROOM / options))
    return sum(min(count, limit) for count in counts) * math.log2(options), len(counts), limit


def _limit(counts: Sequence[int], *, largest: float) -> float:
    """Questions an answer may keep so that none has more than the ``largest`` share of those that are kept."""
    rest = float(sum(counts))
    limit = largest * rest
    for above, count in enumerate(counts, start=1):
        if count <= limit * (1 + _CLOSE):
            return limit
        rest -= count
        if largest * above >= 1 - _CLOSE:
            return limit
        limit = largest * rest / (1 - largest * above)
    return limit


def weights_for(shares: NDArray[np.float64], *, options: int) -> NDArray[np.int64]:
    """Weights whose draws of ``options`` different members have inclusion probabilities ``options * shares``.

    Args:
        shares: positive, of sum 1, none above ``1 / options``. Shape ``(members,)``.
        options: 2 to 4, at most as many as members.

    Returns:
        Whole numbers, at least 1. Shape ``(members,)``.
    """
    weights = shares.copy()
    if options < len(shares):
        for _ in range(_ROUNDS):
            better = shares / _others(weights, options - 1)
            better /= better.sum()
            done = float(np.abs(better / weights - 1).max()) < _CLOSE
            weights = better
            if done:
                break
    whole: NDArray[np.int64] = np.maximum(np.rint(weights / weights.sum() * _WHOLE), 1).astype(np.int64)
    return whole


def _others(weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """For every member, the sum over all sets of ``size`` others of the products of their weights (Newton)."""
    one: NDArray[np.float64] = weights.sum() - weights
    if size == 1:
        return one
    two: NDArray[np.float64] = (weights**2).sum() - weights**2
    if size == 2:
        pairs: NDArray[np.float64] = (one**2 - two) / 2
        return pairs
    three: NDArray[np.float64] = (weights**3).sum() - weights**3
    triples: NDArray[np.float64] = (one**3 - 3 * one * two + 2 * three) / 6
    return triples
