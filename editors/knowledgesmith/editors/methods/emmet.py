"""EMMET (Gupta et al. 2024, arXiv 2403.14236): many facts at once in one layer, each met exactly, as ROME meets one.

The least disturbance tr(Δ C Δᵀ) under the constraint ΔK = R. Differences from the released code: the ridge is relative
and zero unless asked for, each phrasing may be a key of its own, and what ``memit`` says of contexts, targets and C.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.contract import AuthorValue, MethodConfig, ObjectiveRow
from knowledgesmith.editors.locate.columns import Columns
from knowledgesmith.editors.locate.config import SEARCH_AUTHORS, LocateConfig
from knowledgesmith.editors.locate.engine import LocateThenEdit
from knowledgesmith.editors.solve.closed_forms import damped, emmet

_RELEASED = "EMMET's released settings"


class EmmetConfig(LocateConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    Attributes:
        layers: the edited block; several are each given a value of their own.
        ridge: added to Kᵀ C⁻¹ K, in units of its mean diagonal: what is left of the constraint where keys nearly
            coincide.
        damping: added to the diagonal of C, in units of its mean.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            **SEARCH_AUTHORS,
            "layers": AuthorValue(value="5 (GPT-J, Llama-2-7B), 17 (GPT-2 XL)", source=_RELEASED),
            "ridge": AuthorValue(value="0.1", source=_RELEASED, note="absolute, for more than one fact"),
            "damping": AuthorValue(value="0", source=_RELEASED),
        }
    )

    ridge: float = Field(default=0.05, ge=0)
    damping: float = Field(default=1e-2, ge=0)


class Emmet(LocateThenEdit[EmmetConfig]):
    """Equality-constrained mass editing."""

    name: ClassVar[str] = "emmet"
    one_layer: ClassVar[bool] = True
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) over a value change δ, then (W + Δ) K = V",
        preservation="tr(Δ C Δᵀ) on the statistics text",
        regulariser="none",
        operator="Adam on δ; closed form on Δ (constrained least squares)",
        source="Gupta et al. 2024, arXiv 2403.14236",
    )
    config_type: ClassVar[type[MethodConfig]] = EmmetConfig

    def solve(self, columns: Columns, moment: Tensor) -> Tensor:
        """Δ = R (Kᵀ C⁻¹ K + λI)⁻¹ Kᵀ C⁻¹. shape: (d, f)."""
        return emmet(
            keys=columns.edited,
            residuals=columns.wanted,
            moment=damped(moment, self.config.damping),
            ridge=self.config.ridge,
        )
