"""Consistency collapse: the scale from which direct answers fail while reverse answers still hold (Luo et al. 2026)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledgesmith.editors.measures.intervals import Estimate, difference


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalePoint:
    """Right answers of ``n`` direct and reverse probes at scale ``k`` (facts changed at once)."""

    k: int
    direct_right: int
    direct_n: int
    reverse_right: int
    reverse_n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How far a scale lies below the best smaller one; None where one of them has no probes."""

    k: int
    direct: Estimate | None
    reverse: Estimate | None

    @property
    def collapsed(self) -> bool:
        """Direct accuracy fell significantly, reverse accuracy did not."""
        return self.direct is not None and self.direct.low > 0 and self.reverse is not None and self.reverse.low <= 0


def falls(points: Sequence[ScalePoint]) -> list[Fall]:
    """For every scale the fall below the running maximum of smaller scales, with 95 % intervals, by ``k``.

    Runs of one scale are pooled. The samples count as independent, which is the careful reading: plans of different
    scales share only some of their probes.
    """
    pooled: dict[int, list[int]] = {}
    for point in points:
        sums = pooled.setdefault(point.k, [0, 0, 0, 0])
        for n, value in enumerate((point.direct_right, point.direct_n, point.reverse_right, point.reverse_n)):
            sums[n] += value
    found: list[Fall] = []
    best: list[tuple[int, int] | None] = [None, None]
    for k, sums in sorted(pooled.items()):
        now = ((sums[0], sums[1]), (sums[2], sums[3]))
        drops = [difference(top, here) if top and here[1] else None for top, here in zip(best, now, strict=True)]
        found.append(Fall(k=k, direct=drops[0], reverse=drops[1]))
        best = [_better(top, here) for top, here in zip(best, now, strict=True)]
    return found


def collapse_point(points: Sequence[ScalePoint]) -> int | None:
    """The smallest scale that collapsed; None = not reached."""
    return next((fall.k for fall in falls(points) if fall.collapsed), None)


def _better(top: tuple[int, int] | None, here: tuple[int, int]) -> tuple[int, int] | None:
    if not here[1]:
        return top
    return here if top is None or here[0] * top[1] >= top[0] * here[1] else top
