"""AlphaEdit (Fang et al. 2025, arXiv 2410.02355): write values into down projections inside a quiet subspace of keys.

In the paper's order: search a value change δ per fact, take the keys of the edited prompts, project them on directions
that hardly occur in the statistics text, and solve one ridge regression per layer, the residual spread over the layers.
Differences from the reference, all to keep more of what should stay (measured on a small model):

- each training phrasing is its own key column, and not one averaged key, so that other phrasings are met as well; few
  phrasings may be joined by some behind other text (``contexts``), which no model sampled;
- facts whose prompts have the same text up to the subject have the same key and share one δ (see ``locate``);
- retained rows are columns that keep their value at the last edited block, where the reference has earlier edits (K_p
  in equation 12). Their residual is zero at the first edited layer and corrects, at the later ones, what the layers
  below moved. One that has an edited key is kept by the search in place of the solve;
- the essence term is KL(p₀ ‖ p_δ) at "About {subject}"; the reference takes the other direction at "{subject} is a".
  So may be kept what the model says after openings about the subject, as "{subject} has" (``preserving``);
- a search also ends where what it minimises falls no more (``patience``), and the value of an edit that met its target
  may be scaled down to the weakest that still serves it (``settle``);
- scales are relative (fraction of directions, learning rate, clamp and penalty in units of measured norms);
- the target is any distribution, so the same method unlearns (KL to a neutral distribution in the search);
- where a norm follows a projection, each edited layer is given a value of its own, before the norm (``engine``);
- earlier interventions of a branch are part of the weights and not columns of the solve.
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
from knowledgesmith.editors.locate.config import SEARCH_AUTHORS, LocateConfig
from knowledgesmith.editors.locate.engine import LocateThenEdit
from knowledgesmith.editors.locate.keys import distinct_from
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.editors.solve.null_space import null_space
from knowledgesmith.graph_schema.errors import EditDiverged

_LEAST_RETAIN, _RETAIN_STEP = 1e-3, 0.25
_SMALL = 0.05
"""Wanted changes below this share of the largest one do not decide how much retained rows weigh."""
_PAPER = "Fang et al. 2025, released settings"


class AlphaEditConfig(LocateConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    Attributes:
        kept: share of key directions that may be used, those of least energy in the statistics text.
        penalty: ridge penalty in units of the mean squared norm of the projected edit keys.
        retain: weight of retained columns against edited ones. It is lowered where they would take an edit away.
        least: share of what each edit gets without retained columns that it must still get beside them.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            **SEARCH_AUTHORS,
            "layers": AuthorValue(
                value="4-8 of 32 (Llama-3-8B), 3-8 of 28 (GPT-J), 13-17 of 48 (GPT-2 XL)", source=_PAPER
            ),
            "kept": AuthorValue(
                value="every eigenvalue below 0.02", source=_PAPER, note="absolute; about 0.7 of Llama-3's directions"
            ),
            "penalty": AuthorValue(value="10; the paper writes 1", source=_PAPER, note="absolute"),
            "retain": AuthorValue(value="1", source=_PAPER, note="for earlier edits; they have no retained rows"),
            "least": AuthorValue(value="0", source=_PAPER),
        }
    )

    kept: float = Field(default=0.6, gt=0, le=1)
    penalty: float = Field(default=0.3, gt=0)
    retain: float = Field(default=1.0, ge=0)
    least: float = Field(default=0.8, ge=0, le=1)


class AlphaEdit(LocateThenEdit[AlphaEditConfig]):
    """Locate-then-edit in the null space of preserved knowledge."""

    name: ClassVar[str] = "alphaedit"
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) over a value change δ, then ‖(W + Δ) K - V‖²",
        preservation="Δ P = Δ on the quiet directions of the statistics text; zero residual at retained rows",
        regulariser="λ ‖Δ‖²",
        operator="Adam on δ; closed form on Δ (one ridge regression per layer)",
        source="Fang et al. 2025, arXiv 2410.02355",
    )
    config_type: ClassVar[type[MethodConfig]] = AlphaEditConfig

    @property
    def keeps_rows(self) -> bool:
        """Retained rows are columns unless they weigh nothing."""
        return self.config.retain > 0

    def solve(self, columns: Columns, moment: Tensor) -> Tensor:
        """Equations 5, 6 and 12: Δ = R (K̃ᵀK̃ + λI)⁻¹ K̃ᵀ with K̃ = P [K₁, K_p] and residual 0 at K_p. shape: (d, f).

        Raises:
            EditDiverged: the edited keys vanish in the kept directions.
        """
        edits = columns.edits
        projected = null_space(moment, kept=self.config.kept).project(columns.keys.double())
        scale = float(projected[:, :edits].square().sum(0).mean())
        if not scale > 0:
            raise EditDiverged("the edited keys vanish in the kept directions", field="kept", value=self.config.kept)
        chosen = torch.ones(projected.shape[1], dtype=torch.bool, device=projected.device)
        chosen[edits:] = distinct_from(projected[:, :edits], projected[:, edits:])
        return self._beside(projected[:, chosen], columns.residuals.double()[:, chosen], edits, scale)

    def _beside(self, keys: Tensor, residuals: Tensor, edits: int, scale: float) -> Tensor:
        """The ridge regression with retained columns weighing as much as leaves the edits what they need."""
        penalty = self.config.penalty * scale
        wanted = residuals[:, :edits]
        alone = ridge(keys=keys[:, :edits], residuals=wanted, penalty=penalty)
        free = _shares(alone, keys[:, :edits], wanted)
        # a fact that the model answers already wants nothing; its share of nothing is noise
        size = wanted.norm(dim=0)
        judged = (size > _SMALL * size.max()) & (free > 0)
        retain = self.config.retain
        while retain > _LEAST_RETAIN:
            weights = torch.ones(keys.shape[1], dtype=torch.float64, device=keys.device)
            weights[edits:] = retain**0.5
            delta = ridge(keys=keys * weights, residuals=residuals * weights, penalty=penalty)
            reached = _shares(delta, keys[:, :edits], wanted)
            if bool((reached >= self.config.least * free)[judged].all()):
                return delta
            # retained keys that are close to an edited one, or that fill the space, would take the edit away
            retain *= _RETAIN_STEP
        return alone


def _shares(delta: Tensor, keys: Tensor, wanted: Tensor) -> Tensor:
    """Share of each wanted change that a layer's update gives its key. shapes: (d, f), (f, n), (d, n) -> (n,)."""
    return (delta @ keys * wanted).sum(0) / wanted.square().sum(0).clamp_min(1e-30)
