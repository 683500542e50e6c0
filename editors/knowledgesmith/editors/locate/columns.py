"""The columns of a solve: a key and a wanted change each, those of the edits first, then the retained ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from knowledgesmith.editors.locate.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What one layer's solve is given.

    Attributes:
        keys: K. shape: (f, n).
        residuals: R, wanted changes of what the projection writes at ``keys``. shape: (d, n).
        edits: how many leading columns are edits; the rest are retained.
        prompts: for each edit column the key of its first phrasing alone. shape: (f, edits).
    """

    keys: Tensor
    residuals: Tensor
    edits: int
    prompts: Tensor

    @property
    def edited(self) -> Tensor:
        """The edits' keys. shape: (f, edits)."""
        return self.keys[:, : self.edits]

    @property
    def wanted(self) -> Tensor:
        """The edits' wanted changes. shape: (d, edits)."""
        return self.residuals[:, : self.edits]


def columns_of(keys: Keys, inputs: Tensor, residuals: Tensor, *, mean: bool) -> Columns:
    """Columns of the look-ups' keys.

    Args:
        keys: the look-ups.
        inputs: their keys. shape: (n, f).
        residuals: what is wanted at each. shape: (n, d).
        mean: one column a value change: half the key of its first look-up and half the mean of its others', with the
            residual of the first (MEMIT's released code). Else every look-up is a column.
    """
    edits = keys.edits
    first = [keys.slots.index(slot) for slot in keys.slots]
    if not mean:
        return Columns(keys=inputs.T, residuals=residuals.T, edits=edits, prompts=inputs[first].T)
    slots = list(dict.fromkeys(keys.slots))
    weights = inputs.new_zeros(len(slots), edits)
    for row, slot in enumerate(slots):
        own = [column for column, other in enumerate(keys.slots) if other == slot]
        weights[row, own[0]] = 1.0 if len(own) == 1 else 0.5
        weights[row, own[1:]] = 0.5 / max(1, len(own) - 1)
    leading = [keys.slots.index(slot) for slot in slots]
    return Columns(
        keys=torch.cat([weights @ inputs[:edits], inputs[edits:]]).T,
        residuals=torch.cat([residuals[leading], residuals[edits:]]).T,
        edits=len(slots),
        prompts=inputs[leading].T,
    )
