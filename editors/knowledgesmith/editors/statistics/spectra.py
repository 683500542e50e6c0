"""How many directions a second moment has, and how much each number of them holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from knowledgesmith.graph_schema.cancellation import abandonable

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """The eigenvalues of a second moment, and what it was measured on.

    Attributes:
        values: ascending, none below 0. shape: (f,).
        tokens: tokens of the text.
    """

    values: Tensor
    tokens: int

    @property
    def effective_rank(self) -> float:
        """Number of directions, e to the entropy of the eigenvalues as shares of their sum (Roy & Vetterli 2007)."""
        shares = self.values / self.values.sum()
        return float(torch.special.entr(shares).sum().exp())

    def energy(self, share: float) -> float:
        """Part of the trace in this share of the directions, those of least energy; both in [0, 1]."""
        count = round(share * len(self.values))
        return float(self.values[:count].sum() / self.values.sum())

    def directions(self, energy: float) -> int:
        """Least number of directions that hold this part of the trace."""
        held = self.values.flip(0).cumsum(0) / self.values.sum()
        return min(int((held < energy - torch.finfo(held.dtype).eps).sum()) + 1, len(held))


def spectrum(moment: Tensor, *, tokens: int) -> Spectrum:
    """The spectrum of a symmetric moment; minutes for a wide one. shape: (f, f)."""

    def found() -> Tensor:
        values: Tensor = torch.linalg.eigvalsh(moment.double())
        return values.clamp_min(0)

    return Spectrum(values=abandonable(found), tokens=tokens)
