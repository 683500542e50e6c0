"""Which blocks an editing method changes when nobody says."""

from __future__ import annotations

_BLOCKS = 4


def default_layers(depth: int) -> tuple[int, ...]:
    """Four blocks from a sixth of the depth on, ascending: 5-8 of 30 or 32, as published for models of that depth.

    Never above the middle, so that the blocks above can still carry a value from the subject to the answer.
    """
    first = round(depth / 6)
    return tuple(range(first, max(first + 1, min(first + _BLOCKS, depth // 2))))
