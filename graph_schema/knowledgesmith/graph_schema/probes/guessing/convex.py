"""Minimises a convex function of a few dozen weights, some of them bounded, with a penalty on their absolute sum.

Newton's method; each quadratic model is minimised one weight after another (Friedman, Hastie and Tibshirani, Journal of
Statistical Software 33, 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Bound = tuple[float | None, float | None]
"""Least and greatest value of a weight."""
Model = Callable[[Reals], tuple[float, Reals, Reals]]
"""Value, slope (shape ``(weights,)``) and curvature (shape ``(weights, weights)``) at some weights."""

_STEPS: Final = 25
_SWEEPS: Final = 15
_CLOSE: Final = 1e-3
_SMALLEST: Final = 1e-3


def minimise(model: Model, bounds: Sequence[Bound], *, penalty: float = 0.0, steps: int = _STEPS) -> Reals:
    """The weights of the least ``value + penalty * sum(abs(weights))``, from zero. Shape ``(weights,)``.

    Args:
        model: the function; its curvature is positive definite where there is no penalty.
        bounds: of the weights.
        penalty: on the absolute sum.
        steps: of Newton's method, at most.
    """
    low = np.array([-np.inf if least is None else least for least, _ in bounds])
    high = np.array([np.inf if most is None else most for _, most in bounds])
    weights = np.zeros(len(bounds))
    value, slope, curve = model(weights)
    for _ in range(steps):
        move = _move(weights, slope, curve, penalty, low, high)
        if np.abs(move).max(initial=0.0) < _CLOSE:
            break
        before, size = value + penalty * np.abs(weights).sum(), 1.0
        while size > _SMALLEST:
            tried = weights + size * move
            value, slope, curve = model(tried)
            if value + penalty * np.abs(tried).sum() <= before:
                break
            size /= 2
        else:
            break
        weights = tried
    return weights


def _move(weights: Reals, slope: Reals, curve: Reals, penalty: float, low: Reals, high: Reals) -> Reals:
    """The step to the least value of the quadratic model."""
    if not penalty:
        plain = weights - np.linalg.solve(curve, slope)
        if (plain >= low).all() and (plain <= high).all():
            return plain - weights
    aim = weights.copy()
    gain = slope.copy()
    for _ in range(_SWEEPS):
        most = 0.0
        for place in range(len(aim)):
            bend = curve[place, place]
            if bend <= 0.0:
                continue
            wanted = aim[place] - gain[place] / bend
            wanted = np.sign(wanted) * max(abs(wanted) - penalty / bend, 0.0)
            wanted = min(max(wanted, low[place]), high[place])
            change = wanted - aim[place]
            if change:
                aim[place] = wanted
                gain += change * curve[place]
                most = max(most, abs(change))
        if most < _CLOSE / 4:
            break
    return aim - weights
