"""When a search gets nowhere any more: many at once, each judged by its own course.

A target that no change within the clamp gives (a neutral distribution that the model is far from) never meets the loss
at which a search ends, and every further pass is for nothing. Adam's steps are of one size, so an objective rises and
falls and its last value says little: the lowest one so far is followed, and a search is stuck when that has not fallen
by a share of itself within a number of passes.
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

    def see(self, objective: Tensor) -> Tensor:
        """Take in one more pass; tells which searches are lower than ever.

        Args:
            objective: what is minimised, finite and at least 0. shape: (n,).

        Returns:
            shape: (n,), bool.
        """
        before = self._lowest[-1] if self._lowest else torch.full_like(objective, torch.inf)
        self._lowest.append(torch.minimum(before, objective))
        return objective < before

    def stuck(self) -> Tensor:
        """Which searches have not got on over the last window. shape: (n,), bool. Only after a pass was seen."""
        now, before = self._lowest[-1], self._lowest[0]
        if self._window == 0 or len(self._lowest) <= self._window:
            return torch.zeros_like(now, dtype=torch.bool)
        return before - now <= self._share * before
