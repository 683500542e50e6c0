"""AlphaEdit (Fang et al. 2025, arXiv 2410.02355): write values into down projections inside a quiet subspace of keys.

In the paper's order: search a value change δ per fact, take the keys of the edited prompts, project them on directions
that hardly occur in the statistics text, and solve one ridge regression per layer, the residual spread over the layers.
Differences from the reference, all to keep more of what should stay (measured on a small model):

- each training phrasing is its own key column, and not one averaged key, so that other phrasings are met as well;
- retained rows are columns with residual zero, exactly as the paper treats earlier edits (K_p in equation 12);
- scales are relative (fraction of directions, learning rate, clamp and penalty in units of measured norms);
- the target is any distribution, so the same method unlearns (KL to a neutral distribution in the search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.artefacts import Dense, Weights
from knowledgesmith.editors.contract import Family, KeyStatistics, MethodConfig, ObjectiveRow, Progress
from knowledgesmith.editors.layers import default_layers
from knowledgesmith.editors.objective import Row, answer_batch, buckets, join, own_distributions
from knowledgesmith.editors.requests import Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.rows import ACCEPTED, Lookup, TargetSource, distinct_prompts, lookup
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.editors.solve.null_space import null_space
from knowledgesmith.editors.solve.value_search import SearchResult, SearchRow, SearchSettings, search_values
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output, stop_after
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models import LoadedModel

_ROWS = 128
_ESSENCE = "About {s}"
_OWN_FACTS = 4


class AlphaEditConfig(MethodConfig):
    """Settings. "Author" is the published GPT-2 XL / GPT-J / Llama-3 setting.

    Attributes:
        layers: edited blocks, ascending; the values are searched at the last one. Empty: four blocks from a sixth of
            the depth on (author: 4-8 of 32; here 5-8 of 30).
        kept: share of key directions that may be used, those of least energy in the statistics text (author: every
            eigenvalue below 0.02, about 0.7).
        penalty: ridge penalty in units of the mean squared norm of the projected edit keys (author: 10, absolute).
        steps: most value-search passes (author: 25).
        learning_rate: of the search, in units of activation norm / sqrt(width) (author: 0.5 or 0.1, absolute).
        clamp: largest norm of a value change in units of the clean activation (author: 0.75 or 4).
        decay: penalty on that norm (author: 0.5 or 1e-3).
        essence: weight of keeping what the model says about the subject (author: 0.0625).
        own_facts: weight of keeping the retained other facts of an edited subject in the search (author: none).
        stop: task loss at which a fact's search ends (author: 0.05).
        search_prompts: training phrasings used in the value search; the keys use all.
        paths: neutral candidates followed beyond their first token (UNLEARN).
        end: what closes a new object.
        retain: weight of the retained rows' key columns, relative to an edited one (author: earlier edits, 1).
    """

    layers: tuple[int, ...] = ()
    kept: float = Field(default=0.6, gt=0, le=1)
    penalty: float = Field(default=0.3, gt=0)
    steps: int = Field(default=16, ge=1, le=200)
    learning_rate: float = Field(default=0.5, gt=0)
    clamp: float = Field(default=1.0, gt=0)
    decay: float = Field(default=1e-3, ge=0)
    essence: float = Field(default=0.0625, ge=0)
    own_facts: float = Field(default=0.5, ge=0)
    stop: float = Field(default=0.1, ge=0)
    search_prompts: int = Field(default=4, ge=1)
    paths: int = Field(default=2, ge=1)
    end: str = Field(default=".", max_length=8)
    retain: float = Field(default=1.0, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    """Prompts whose keys enter the solve: first those of the edits, then the retained ones."""

    lookups: tuple[Lookup, ...]
    edit: Tensor
    """Number of the edit of each leading prompt; the prompts after them are retained. shape: (m,)"""


class AlphaEdit:
    """Locate-then-edit in the null space of preserved knowledge."""

    name: ClassVar[str] = "alphaedit"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) over a value change δ, then ‖(W + Δ) K - V‖²",
        preservation="Δ P = Δ on the quiet directions of the statistics text; zero residual at retained rows",
        regulariser="λ ‖Δ‖²",
        operator="Adam on δ; closed form on Δ (one ridge regression per layer)",
        source="Fang et al. 2025, arXiv 2410.02355",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = ACCEPTED
    config_type: ClassVar[type[MethodConfig]] = AlphaEditConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("AlphaEditConfig", config)

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Compute the changes of the down projections.

        Raises:
            EditDiverged: the search or a solve gave values that are not finite.
            InvalidInput: the model has no such layer, or an edit names no new object.
            Cancelled: raised by ``progress``.
        """
        request = request.canonical()
        layers = self._layers(model)
        found = self._search(model, request, layers[-1], progress)
        keys = self._keys(model, request)
        statistics.prepare(layers)
        names = [model.architecture.down_projection(layer).parameter_name for layer in layers]
        deltas: dict[str, Dense] = {}
        with torch.no_grad(), borrowed(model.model, names) as parameters:
            wanted: Tensor | None = None
            for done, layer in enumerate(layers):
                progress.step("solve", done, len(layers))
                inputs, outputs = _keys_and_outputs(model, keys.lookups, layer=layer, top=layers[-1])
                if wanted is None:
                    # equation 14: the values to reach at the last edited block; retained rows keep theirs
                    wanted = outputs.clone()
                    wanted[: len(keys.edit)] += found.change[keys.edit]
                residuals = (wanted - outputs) / (len(layers) - done)
                moment = statistics.second_moment(layer).to(inputs.device)
                delta = self._solve(moment, inputs.T, residuals.T, edits=len(keys.edit))
                projection = model.architecture.down_projection(layer)
                parameter = parameters[projection.parameter_name]
                change = projection.as_parameter(delta.to(torch.float32))
                deltas[projection.parameter_name] = Dense(change)
                parameter.add_(change.to(parameter.dtype))
            progress.step("solve", len(layers), len(layers))
        return Weights(deltas=deltas, metadata=self._metadata(request, found, layers))

    def _layers(self, model: LoadedModel) -> tuple[int, ...]:
        if self.config.layers:
            return tuple(sorted(set(self.config.layers)))
        return default_layers(model.architecture.num_layers)

    def _search(self, model: LoadedModel, request: UpdateRequest, layer: int, progress: Progress) -> SearchResult:
        """Equation 3: for each fact, the value change that makes the model answer with the target."""
        settings = SearchSettings(
            layer=layer,
            steps=self.config.steps,
            learning_rate=self.config.learning_rate,
            clamp=self.config.clamp,
            decay=self.config.decay,
            stop=self.config.stop,
        )
        rows = self._search_rows(model, request)
        found = search_values(
            model, rows, settings=settings, step=lambda done, total: progress.step("value search", done, total)
        )
        if not bool(torch.isfinite(found.change).all()):
            raise EditDiverged(
                "the value search gave values that are not finite",
                field="learning_rate",
                value=self.config.learning_rate,
                hint="Lower the learning rate or the clamp.",
            )
        return found

    def _search_rows(self, model: LoadedModel, request: UpdateRequest) -> list[SearchRow]:
        source = TargetSource(model, request, end=self.config.end, paths=self.config.paths)
        rows: list[SearchRow] = []
        for edit, update in enumerate(request.updates):
            prompts = distinct_prompts(update.prompts, self.config.search_prompts)
            for prompt in prompts:
                position = lookup(model.tokenizer, prompt).position
                rows.extend(
                    SearchRow(
                        row=target.row,
                        lookup=position,
                        edit=edit,
                        targets=target.targets,
                        weight=target.weight / len(prompts),
                    )
                    for target in source.rows(edit, prompt.text)
                )
        return rows + self._preserving_rows(model, request)

    def _preserving_rows(self, model: LoadedModel, request: UpdateRequest) -> list[SearchRow]:
        """Rows that hold what the model says about each subject: in general, and in its retained other facts."""
        facts: dict[str, list[RetainRow]] = {}
        for item in request.retain:
            facts.setdefault(item.prompt.subject, []).append(item)
        found: list[tuple[int, Row, int, float]] = []
        for edit, update in enumerate(request.updates):
            subject = update.prompts[0].subject
            about = lookup(model.tokenizer, Prompt.fill(_ESSENCE, subject))
            # what follows the subject is irrelevant: only the distribution at its last token is kept
            found.append((edit, Row(prompt=about.ids, answer=(0,)), about.position, self.config.essence))
            own = facts.get(subject, [])[:_OWN_FACTS]
            for item in own:
                row = join(model.tokenizer, prompt=item.prompt.text, answer=item.answer)
                position = lookup(model.tokenizer, item.prompt).position
                found.append((edit, row, position, self.config.own_facts / len(own)))
        found = [item for item in found if item[3] > 0]
        targets = own_distributions(model.model, [row for _, row, _, _ in found], device=model.device)
        return [
            SearchRow(row=row, lookup=position, edit=edit, targets=own, weight=weight, task=False)
            for (edit, row, position, weight), own in zip(found, targets, strict=True)
        ]

    def _keys(self, model: LoadedModel, request: UpdateRequest) -> _Keys:
        edited = [
            (lookup(model.tokenizer, prompt), edit)
            for edit, update in enumerate(request.updates)
            for prompt in dict.fromkeys(update.prompts)
        ]
        kept: list[Lookup] = []
        if self.config.retain > 0:
            for prompt in dict.fromkeys(row.prompt for row in request.retain):
                item = lookup(model.tokenizer, prompt)
                last = Lookup(ids=item.ids, position=len(item.ids) - 1)
                kept.extend(dict.fromkeys((item, last)))
        return _Keys(
            lookups=(*(item for item, _ in edited), *kept),
            edit=torch.tensor([edit for _, edit in edited], device=model.device),
        )

    def _solve(self, moment: Tensor, keys: Tensor, residuals: Tensor, *, edits: int) -> Tensor:
        """Equations 5, 6 and 12: Δ = R (K̃ᵀK̃ + λI)⁻¹ K̃ᵀ with K̃ = P [K₁, K_p] and residual 0 at K_p. shape: (d, f)."""
        space = null_space(moment, kept=self.config.kept)
        projected = space.project(keys.double())
        weights = torch.ones(keys.shape[1], dtype=torch.float64, device=keys.device)
        weights[edits:] = self.config.retain**0.5
        scale = float(projected[:, :edits].square().sum(0).mean())
        if not scale > 0:
            raise EditDiverged("the edited keys vanish in the kept directions", field="kept", value=self.config.kept)
        return ridge(keys=projected * weights, residuals=residuals * weights, penalty=self.config.penalty * scale)

    def _metadata(self, request: UpdateRequest, found: SearchResult, layers: Sequence[int]) -> dict[str, str]:
        return {
            "method": self.name,
            "goal": request.goal.value,
            "target_distribution": request.target_distribution.value,
            "layers": ",".join(map(str, layers)),
            "mean_steps": f"{float(found.steps.float().mean()):.2f}",
            "mean_loss": f"{float(found.loss.mean()):.4f}",
        }


def _keys_and_outputs(model: LoadedModel, lookups: Sequence[Lookup], *, layer: int, top: int) -> tuple[Tensor, Tensor]:
    """Keys at ``layer`` and outputs of block ``top``, both at the lookups. shapes: (n, f), (n, d)."""
    architecture = model.architecture
    projection, last = architecture.down_projection(layer), architecture.block(top)
    inputs = torch.zeros(len(lookups), projection.in_features, device=model.device)
    outputs = torch.zeros(len(lookups), architecture.hidden_size, device=model.device)
    rows = [Row(prompt=item.ids, answer=()) for item in lookups]
    for chosen in buckets(rows, size=_ROWS):
        batch = answer_batch([rows[i] for i in chosen], device=model.device)
        positions = torch.tensor([lookups[i].position for i in chosen], device=model.device)
        with (
            capture_input(projection.module, positions=positions) as keys,
            capture_output(last, positions=positions) as values,
            stop_after(last),
        ):
            model.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
        inputs[chosen] = keys.value.float()
        outputs[chosen] = values.value.float()
    return inputs, outputs
