"""Dealing out what is trained on: seeded shuffles without repetition within a pass."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def one_pass(count: int, size: int, rng: Random) -> Iterator[list[int]]:
    """The indices below ``count`` once, in a new order, at most ``size`` at a time. Shuffled when first asked."""
    order = list(range(count))
    rng.shuffle(order)
    for start in range(0, count, size):
        yield order[start : start + size]


def endless(count: int, rng: Random) -> Iterator[int]:
    """The indices below ``count``, pass after pass; nothing where there are none."""
    while count:
        order = list(range(count))
        rng.shuffle(order)
        yield from order
