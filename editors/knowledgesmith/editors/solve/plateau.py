"""When a search gets nowhere any more: many at once, each judged by its own course.

A target that no change within the clamp gives (a neutral distribution that the model is far from) never meets the loss
at which a search ends, and every further pass is for nothing. Adam's steps are of one size, so an objective rises and
falls and its last value says little: the lowest one so far is followed, and a search is stuck when that has not fallen
by a share of itself within a number of passes.

Adam's first step is as long as any: it may lead across a near target, from where the objective falls for long before it
is below its start again. A search that rose is not judged before it is: measured against its start it would always be
stuck, and would end with nothing.
"""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor


class Plateau:
    """The lowest objective of n searches so far, and which of them are stuck.

    Args:
        window: passes within which the lowest objective has to fall; 0: no search is ever stuck.
        share: least fall over the window, as a share of what it was before.
    """

    def __init__(self, *, window: int, share: float) -> None:
        self._window = window
        self._share = share
        self._lowest: deque[Tensor] = deque(maxlen=window + 1)
        self._start: Tensor | None = None
        self._highest: Tensor | None = None
        self._counted: Tensor | None = None
        """Passes since the start, or since the first one below it for a search that rose before."""

    def see(self, objective: Tensor) -> Tensor:
        """Take in one more pass; tells which searches are lower than ever.

        Args:
            objective: what is minimised, finite and at least 0. shape: (n,).

        Returns:
            shape: (n,), bool.
        """
        if self._start is None or self._highest is None or self._counted is None:
            self._start = self._highest = objective
            self._counted = torch.zeros_like(objective, dtype=torch.long)
        before = self._lowest[-1] if self._lowest else torch.full_like(objective, torch.inf)
        lowest = torch.minimum(before, objective)
        self._lowest.append(lowest)
        self._highest = torch.maximum(self._highest, objective)
        # what does not move at all only trembles about its start
        rose = self._highest - self._start > self._share * self._start
        waits = rose & (lowest >= self._start)
        self._counted = torch.where(waits, 0, self._counted + 1)
        return objective < before

    def stuck(self) -> Tensor:
        """Which searches have not got on over the last window. shape: (n,), bool. Only after a pass was seen."""
        now, before = self._lowest[-1], self._lowest[0]
        if self._window == 0 or self._counted is None:
            return torch.zeros_like(now, dtype=torch.bool)
        return (self._counted > self._window) & (before - now <= self._share * before)
