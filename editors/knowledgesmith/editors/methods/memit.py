"""MEMIT (Meng et al. 2023, arXiv 2210.07229): write many values into a few down projections, in least squares.

The paper's order: values at the last edited block (equation 16), then layer by layer Δ = R Kᵀ (λC + KKᵀ)⁻¹ with the
residual spread over the layers still to come (equations 14 and 20). Differences from the released code:

- each phrasing may be a key of its own, and not one averaged key (``keys``);
- retained rows may be columns that want no change beside C, which knows the keys of a text alone (``retain``);
- contexts are bundled sentences, the target is any distribution, scales of the search are relative (``locate.config``);
- C is damped, so that a short text serves (``damping``);
- where a norm follows a projection, each edited layer is given a value of its own, before the norm (``locate.engine``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.contract import AuthorValue, MethodConfig, ObjectiveRow
from knowledgesmith.editors.locate.columns import Columns
from knowledgesmith.editors.locate.config import MEMIT, SEARCH_AUTHORS, LocateConfig
from knowledgesmith.editors.locate.engine import LocateThenEdit
from knowledgesmith.editors.locate.keys import distinct_from
from knowledgesmith.editors.solve.closed_forms import damped, memit


class MemitConfig(LocateConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    Attributes:
        weight: λ, how many tokens of the statistics text weigh as much as one edited key.
        damping: added to the diagonal of C, in units of its mean.
        retain: weight of a retained column against an edited one; 0: none.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            **SEARCH_AUTHORS,
            "layers": AuthorValue(
                value="4-8 of 32 (Llama-2-7B), 3-8 of 28 (GPT-J), 13-17 of 48 (GPT-2 XL)", source=MEMIT
            ),
            "weight": AuthorValue(value="15000; 20000 for GPT-2 XL", source=MEMIT),
            "damping": AuthorValue(value="0", source=MEMIT, note="C of 100,000 documents"),
            "retain": AuthorValue(value="0", source=MEMIT),
        }
    )

    weight: float = Field(default=15000.0, gt=0)
    damping: float = Field(default=1e-4, ge=0)
    retain: float = Field(default=1.0, ge=0)


class Memit(LocateThenEdit[MemitConfig]):
    """Mass-editing of a memory in a transformer."""

    name: ClassVar[str] = "memit"
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) over a value change δ, then ‖(W + Δ) K - V‖²",
        preservation="λ tr(Δ C Δᵀ) on the statistics text; zero residual at retained rows",
        regulariser="none",
        operator="Adam on δ; closed form on Δ (one regression per layer)",
        source="Meng et al. 2023, arXiv 2210.07229",
    )
    config_type: ClassVar[type[MethodConfig]] = MemitConfig

    @property
    def keeps_rows(self) -> bool:
        """Retained rows are columns unless they weigh nothing."""
        return self.config.retain > 0

    def solve(self, columns: Columns, moment: Tensor) -> Tensor:
        """Equation 14. shape: (d, f)."""
        chosen = torch.ones(columns.keys.shape[1], dtype=torch.bool, device=columns.keys.device)
        chosen[columns.edits :] = distinct_from(columns.edited, columns.keys[:, columns.edits :])
        weights = torch.ones_like(columns.keys[0])
        weights[columns.edits :] = self.config.retain**0.5
        return memit(
            keys=(columns.keys * weights)[:, chosen],
            residuals=(columns.residuals * weights)[:, chosen],
            moment=damped(moment, self.config.damping),
            weight=self.config.weight,
        )
