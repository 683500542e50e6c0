"""The least share of each found change that still does what it was searched for, by bisection.

A search with steps of one size comes to a target in its last step or two and mostly lies on its clamp then; much of
such a change does nothing for the target and moves whatever else hangs on the same activation. Along the line from no
change to the found one a few forward passes find where the target is lost.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

HALVINGS = 4
"""Forward passes; the share is found to within a sixteenth."""


def least_shares(losses: Callable[[Tensor], Tensor], *, bound: float, met: Tensor, halvings: int = HALVINGS) -> Tensor:
    """The least of the tried shares of each change whose loss is below ``bound``; 1 where the target is not met.

    No order is taken for granted: a share is given only if its own loss was below the bound.

    Args:
        losses: of all changes at these shares of them. shapes: (n,) -> (n,).
        bound: loss below which a share serves.
        met: which whole changes serve. shape: (n,), bool.
        halvings: calls of ``losses``.

    Returns:
        shape: (n,), float32 or wider, above 0.
    """
    high = torch.ones(met.shape, device=met.device)
    low = torch.zeros_like(high)
    for _ in range(halvings if bool(met.any()) else 0):
        middle = (low + high) / 2
        serves = losses(torch.where(met, middle, high)) < bound
        high = torch.where(met & serves, middle, high)
        low = torch.where(met & ~serves, middle, low)
    return high
