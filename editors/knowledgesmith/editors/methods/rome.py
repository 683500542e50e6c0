"""ROME (Meng et al. 2022, arXiv 2202.05262) and R-ROME (Gupta et al. 2024, arXiv 2403.07175): rank-one updates.

One layer, one fact after another: Δ = (v* - W k) uᵀ / (kᵀu) with u = C⁻¹k̄ (equation 2). ROME's released code takes k
from the edit prompt alone and k̄ from many contexts; where the two differ, the denominator may come near zero and the
update destroys the model. R-ROME takes k̄ for both. Several facts of a request are searched for together on the
unedited model and written one after another, each with what the ones before it left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.contract import AuthorValue, MethodConfig, ObjectiveRow
from knowledgesmith.editors.locate.columns import Columns
from knowledgesmith.editors.locate.config import SEARCH_AUTHORS, LocateConfig
from knowledgesmith.editors.locate.engine import LocateThenEdit
from knowledgesmith.editors.solve.closed_forms import damped, rome

_ROME = "ROME's released settings"


class RomeConfig(LocateConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    Attributes:
        layers: the edited block; several are each given a value of their own.
        keys: one ``mean`` key a fact; ``each`` phrasing as an update of its own is not what ROME does.
        damping: added to the diagonal of C, in units of its mean.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            **{name: value for name, value in SEARCH_AUTHORS.items() if name != "keys"},
            "layers": AuthorValue(value="5 (GPT-J, Llama, Qwen2), 17 (GPT-2 XL)", source=_ROME),
            "clamp": AuthorValue(value="4", source=_ROME),
            "least_prompts": AuthorValue(value="21", source=_ROME, note="behind texts that the model gave"),
            "damping": AuthorValue(value="0", source=_ROME),
        }
    )

    clamp: float = Field(default=2.0, gt=0)
    keys: Literal["each", "mean"] = "mean"
    damping: float = Field(default=1e-2, ge=0)


class RRome(LocateThenEdit[RomeConfig]):
    """Rank-one editing with one key everywhere."""

    name: ClassVar[str] = "r-rome"
    one_layer: ClassVar[bool] = True
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) over a value change δ, then (W + Δ) k̄ = v",
        preservation="tr(Δ C Δᵀ) on the statistics text",
        regulariser="rank 1 a fact",
        operator="Adam on δ; closed form on Δ, fact by fact",
        source="Gupta et al. 2024, arXiv 2403.07175",
    )
    config_type: ClassVar[type[MethodConfig]] = RomeConfig

    def solve(self, columns: Columns, moment: Tensor) -> Tensor:
        """Equation 2 with one key everywhere. shape: (d, f)."""
        return self._updates(columns, columns.edited, moment)

    def _updates(self, columns: Columns, met: Tensor, moment: Tensor) -> Tensor:
        return rome(
            directions=columns.edited,
            keys=met,
            residuals=columns.wanted,
            moment=damped(moment, self.config.damping),
        )


class Rome(RRome):
    """Rank-one editing as released: the key of the edit prompt alone is met."""

    name: ClassVar[str] = "rome"
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) over a value change δ, then (W + Δ) k = v",
        preservation="tr(Δ C Δᵀ) on the statistics text",
        regulariser="rank 1 a fact",
        operator="Adam on δ; closed form on Δ, fact by fact",
        source="Meng et al. 2022, arXiv 2202.05262",
    )

    def solve(self, columns: Columns, moment: Tensor) -> Tensor:
        """Equation 2 as the released code has it: u of the averaged key, the denominator of the prompt's. (d, f)."""
        return self._updates(columns, columns.prompts, moment)
