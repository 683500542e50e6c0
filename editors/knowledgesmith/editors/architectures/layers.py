"""Which blocks an editing method changes when nobody says."""

from __future__ import annotations

_BLOCKS = 4


def default_layers(depth: int) -> tuple[int, ...]:
    """Four blocks from a sixth of the depth on, ascending: 5-8 of 30 or 32. Our rule, not a published one.

    Published choices for 32 blocks are the five blocks 4-8 (MEMIT, AlphaEdit). Never above the middle, so that the
    blocks above can still carry a value from the subject to the answer. No other depth than 30 was tried on facts that
    a model knows.
    """
    first = round(depth / 6)
    return tuple(range(first, max(first + 1, min(first + _BLOCKS, depth // 2))))
