"""When training ends before its last step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch

from knowledgesmith.editors.solve.plateau import Plateau


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one step showed, before the weights were changed.

    Attributes:
        loss: the step's loss, in nats; finite.
        learning: whether a row that has a margin is still above it.
    """

    loss: float
    learning: bool


class StopRule(Protocol):
    """Follows the steps of one training."""

    name: ClassVar[str]

    def met(self, seen: Seen) -> bool:
        """Take in one more step; whether it was the last."""
        ...


class Learned:
    """All rows were below their margins in every step of ``passes`` passes running."""

    name: ClassVar[str] = "learned"

    def __init__(self, *, steps: int, passes: int = 2) -> None:
        self._steps = steps
        self._passes = passes
        self._count = 0
        self._learning = False
        self._quiet = 0

    def met(self, seen: Seen) -> bool:
        """See :class:`StopRule`."""
        self._count += 1
        self._learning |= seen.learning
        if self._count % self._steps:
            return False
        self._quiet = 0 if self._learning else self._quiet + 1
        self._learning = False
        return self._quiet >= self._passes


class Stalled:
    """The lowest mean loss of a pass has not fallen by ``share`` of itself within ``passes`` passes."""

    name: ClassVar[str] = "plateau"

    def __init__(self, *, steps: int, passes: int, share: float) -> None:
        self._steps = steps
        self._plateau = Plateau(window=passes, share=share)
        self._losses: list[float] = []

    def met(self, seen: Seen) -> bool:
        """See :class:`StopRule`."""
        self._losses.append(seen.loss)
        if len(self._losses) < self._steps:
            return False
        # divergences are at least 0 but for rounding
        mean = max(0.0, sum(self._losses) / self._steps)
        self._losses = []
        self._plateau.see(torch.tensor([mean], dtype=torch.float64))
        return bool(self._plateau.stuck())
