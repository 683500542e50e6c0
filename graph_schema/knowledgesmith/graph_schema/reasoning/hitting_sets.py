"""Weighted hitting sets: the cheapest items of which every given set holds at least one (pure)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

EXACT_ITEMS: Final = 20
"""Up to so many items, :func:`exact_hitting_set` answers at once."""
_NODES: Final = 5_000
"""Nodes of one search of the solver: a bound on the work that, unlike seconds, gives the same result every time."""
_SLACK: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class HittingSet:
    """Items that hit every set, and a weight below which no hitting set lies."""

    items: frozenset[str]
    lower_bound: int


def exact_hitting_set(sets: Iterable[Collection[str]], costs: Mapping[str, int]) -> HittingSet:
    """The cheapest hitting set by branch and bound; of several the one whose sorted items come first.

    Args:
        sets: non-empty, of items of ``costs``.
        costs: positive cost of every item.
    """
    names = sorted(costs)
    # One number orders by cost, then by items: of two sets of equal cost the one with the first item in which they
    # differ has the smaller sum. Python's integers keep it exact.
    fine = [(costs[name] << len(names)) - (1 << (len(names) - 1 - n)) for n, name in enumerate(names)]
    bit = {name: 1 << n for n, name in enumerate(names)}
    masks = _minimal(sum(bit[item] for item in items) for items in sets)
    search = _Search(fine=fine, best=sum(fine) + 1)
    search.branch(masks, chosen=0, banned=0, cost=0)
    items = frozenset(name for name in names if search.chosen & bit[name])
    return HittingSet(items=items, lower_bound=sum(costs[name] for name in items))


def _minimal(masks: Iterable[int]) -> list[int]:
    """The sets that contain no other."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda m: (m.bit_count(), m)):
        if not any(other & mask == other for other in kept):
            kept.append(mask)
    return kept


@dataclass(slots=True, kw_only=True)
class _Search:
    fine: Sequence[int]
    best: int
    chosen: int = 0

    def branch(self, masks: Sequence[int], *, chosen: int, banned: int, cost: int) -> None:
        """Try the items of the narrowest set that is not hit; what was tried is banned from the later branches."""
        if not masks:
            if cost < self.best:
                self.best, self.chosen = cost, chosen
            return
        if cost + self._bound(masks, banned) >= self.best:
            return
        narrow = min((mask & ~banned for mask in masks), key=lambda m: (m.bit_count(), m))
        for item in sorted(_bits(narrow), key=lambda n: self.fine[n]):
            rest = [mask for mask in masks if not mask >> item & 1]
            self.branch(rest, chosen=chosen | 1 << item, banned=banned, cost=cost + self.fine[item])
            banned |= 1 << item

    def _bound(self, masks: Sequence[int], banned: int) -> int:
        """Sets without a common item each need one of their own; a set with all its items banned cannot be hit."""
        used, total = 0, 0
        for mask in masks:
            usable = mask & ~banned
            if not usable:
                return self.best
            if not usable & used:
                used |= usable
                total += min(self.fine[n] for n in _bits(usable))
        return total


def _bits(mask: int) -> list[int]:
    return [n for n in range(mask.bit_length()) if mask >> n & 1]


def large_hitting_set(sets: Collection[Collection[str]], costs: Mapping[str, int]) -> HittingSet:
    """A cheap hitting set with a proven bound, by mixed-integer programming (HiGHS) with a bounded search.

    Args:
        sets: non-empty, of items of ``costs``.
        costs: positive cost of every item.
    """
    if not sets:
        return HittingSet(items=frozenset(), lower_bound=0)
    rows = sorted({tuple(sorted(items)) for items in sets})
    names = sorted({item for row in rows for item in row})
    column = {name: n for n, name in enumerate(names)}
    indices = np.array([column[item] for row in rows for item in row], dtype=np.int32)
    starts = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int32)
    matrix = csr_array((np.ones(len(indices)), indices, starts), shape=(len(rows), len(names)))
    found = milp(
        c=np.array([costs[name] for name in names], dtype=np.float64),
        constraints=LinearConstraint(matrix, lb=1.0),
        integrality=np.ones(len(names), dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"node_limit": _NODES, "mip_rel_gap": 0.0},
    )
    bound = 0 if found.mip_dual_bound is None else max(0, math.ceil(float(found.mip_dual_bound) - _SLACK))
    if found.x is None:
        return HittingSet(items=_greedy(rows, costs), lower_bound=bound)
    items = frozenset(name for name, value in zip(names, found.x, strict=True) if value > 0.5)
    return HittingSet(items=items, lower_bound=min(bound, sum(costs[name] for name in items)))


def _greedy(rows: Sequence[Sequence[str]], costs: Mapping[str, int]) -> frozenset[str]:
    """Of each set that is not hit, the cheapest item (ties: the first)."""
    chosen: set[str] = set()
    for row in rows:
        if chosen.isdisjoint(row):
            chosen.add(min(row, key=lambda item: (costs[item], item)))
    return frozenset(chosen)
