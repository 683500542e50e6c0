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
- earlier interventions of a branch are part of the weights and not columns of the solve.

Every fact's realised change is measured after the last layer and kept with the artefact: the share of δ that arrived,
and what came along in other directions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.architectures.layers import default_layers
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.contract import (
    AuthorValue,
    Family,
    KeyStatistics,
    MethodConfig,
    ObjectiveRow,
    Progress,
)
from knowledgesmith.editors.locate.keys import Keys, distinct_from, locate
from knowledgesmith.editors.locate.lookups import Lookup, lookup
from knowledgesmith.editors.locate.preserving import Shares, preserving_rows
from knowledgesmith.editors.locate.value_search import SearchResult, SearchRow, SearchSettings, search_values
from knowledgesmith.editors.models.precision import ComputeDtype, frozen_dtype, name_of
from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.objective.rows import Row, answer_batch, buckets
from knowledgesmith.editors.objective.targets import ACCEPTED, TargetSource, distinct_prompts
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.sites.writing import writing_scales
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.editors.solve.null_space import null_space
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import capture_input, capture_output, stop_after
from knowledgesmith.editors.text.contexts import in_contexts
from knowledgesmith.editors.train.lora import computing_in
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

_ROWS = 128
_LEAST_RETAIN, _RETAIN_STEP = 1e-3, 0.25
_SMALL = 0.05
"""Wanted changes below this share of the largest one do not decide how much retained rows weigh."""
_NOTHING = 1e-6
"""A wanted change below this share of the clean value is none."""


_PAPER = "Fang et al. 2025, released settings"
_MEMIT = "MEMIT's released settings, which AlphaEdit takes over"


class AlphaEditConfig(MethodConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    Attributes:
        layers: edited blocks, ascending; the values are searched at the last one. Empty: four blocks from a sixth of
            the depth on.
        kept: share of key directions that may be used, those of least energy in the statistics text.
        penalty: ridge penalty in units of the mean squared norm of the projected edit keys.
        steps: most value-search passes; facts that are met end sooner, names that have to be spelled take them.
        learning_rate: of the search, in units of activation norm / sqrt(width).
        clamp: largest norm of a value change in units of the clean activation.
        decay: penalty on that norm.
        essence: weight of keeping what the model says about the subject.
        openings: weight of keeping what the model says after openings that ask for nothing ("{subject} is"), shared by
            all of them. Off unless asked for: 4 keeps more of a subject whose wording was derived, and searches longer.
        own_facts: weight of keeping the retained other facts of an edited subject in the search, shared by up to four
            of them.
        stop: task loss at which a fact's search ends.
        patience: passes in which what a fact's search minimises has to fall by a share (``progress``) of itself, or it
            ends, and gives the best value that it met. 0: the authors' search, which ends at ``stop`` or takes all
            steps, and gives the last value.
        progress: that share. Unlearning on the default model falls slowly to its last step, by more than the default;
            0.1 ends some of its searches sooner, at a higher loss.
        settle: task loss below which a new object's value still serves. One that came to ``stop`` is scaled down to the
            weakest that does: a search ends on its clamp, and what its value does beyond its target it does to
            everything else that is said of the subject. Of edits alone, and off unless asked for (0). 0.5 kept 89 of
            103 own facts of subjects on graphs made up for the choice, 0 kept 76, both with 45 of 45 direct questions
            installed; on others (``benchmarks.imported_graph``) 76 of 98 against 61 of 98 kept, 41 of 45 against 44 of
            45 installed; but of names that the model does not know 1 of 10 instead of 4 of 10 were installed.
        search_prompts: training phrasings used in the value search; the keys use all.
        least_prompts: phrasings that a fact is brought up to by putting marks and sentences before those it has: as
            many as the authors' (one prompt behind nothing and behind five texts). A subject's key depends on the text
            before it, so fewer are met in the trained phrasings and hardly in others.
        paths: neutral candidates followed beyond their first token (UNLEARN).
        end: what closes a new object.
        retain: weight of the retained rows' key columns, relative to an edited one.
        least: share of what the edits alone would reach that each must reach beside the retained rows; these weigh less
            where they would take more.
        compute_dtype: dtype of the frozen weights in the value search; δ, its losses and the solve are never in half
            precision. ``auto``: the one that the service measured to be fastest on its device, and the model's own
            where nobody measured.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            "layers": AuthorValue(
                value="4-8 of 32 (Llama-3-8B), 3-8 of 28 (GPT-J), 13-17 of 48 (GPT-2 XL)", source=_MEMIT
            ),
            "kept": AuthorValue(
                value="every eigenvalue below 0.02", source=_PAPER, note="absolute; about 0.7 of Llama-3's directions"
            ),
            "penalty": AuthorValue(value="10; the paper writes 1", source=_PAPER, note="absolute"),
            "steps": AuthorValue(value="20 to 25", source=_MEMIT),
            "learning_rate": AuthorValue(value="0.5; 0.1 for Llama-3", source=_MEMIT, note="absolute"),
            "clamp": AuthorValue(value="0.75; 4 for Qwen2.5", source=_MEMIT),
            "decay": AuthorValue(value="0.5; 1e-3 for Qwen2.5", source=_MEMIT),
            "essence": AuthorValue(value="0.0625", source=_MEMIT, note="the other direction of KL, '{subject} is a'"),
            "openings": AuthorValue(value="0", source=_PAPER),
            "own_facts": AuthorValue(value="0", source=_PAPER),
            "stop": AuthorValue(value="0.05", source=_MEMIT),
            "settle": AuthorValue(value="0", source=_MEMIT),
            "patience": AuthorValue(value="0", source=_MEMIT, note="they give the last value and take all steps"),
            "search_prompts": AuthorValue(value="1", source=_MEMIT, note="behind sampled contexts"),
            "least_prompts": AuthorValue(
                value="6", source=_MEMIT, note="the prompt alone and behind five texts that the model gave"
            ),
            "end": AuthorValue(value="nothing", source=_MEMIT),
            "retain": AuthorValue(value="1", source=_PAPER, note="for earlier edits; they have no retained rows"),
            "least": AuthorValue(value="0", source=_PAPER),
        }
    )

    layers: tuple[int, ...] = ()
    kept: float = Field(default=0.6, gt=0, le=1)
    penalty: float = Field(default=0.3, gt=0)
    steps: int = Field(default=40, ge=1, le=200)
    learning_rate: float = Field(default=0.5, gt=0)
    clamp: float = Field(default=1.0, gt=0)
    decay: float = Field(default=1e-3, ge=0)
    essence: float = Field(default=0.0625, ge=0)
    openings: float = Field(default=0.0, ge=0)
    own_facts: float = Field(default=0.5, ge=0)
    stop: float = Field(default=0.1, ge=0)
    patience: int = Field(default=8, ge=0, le=200)
    progress: float = Field(default=0.02, ge=0, lt=1)
    settle: float = Field(default=0.0, ge=0)
    search_prompts: int = Field(default=4, ge=1)
    least_prompts: int = Field(default=6, ge=1, le=32)
    paths: int = Field(default=2, ge=1)
    end: str = Field(default=".", max_length=8)
    retain: float = Field(default=1.0, ge=0)
    least: float = Field(default=0.8, ge=0, le=1)
    compute_dtype: ComputeDtype = "auto"


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

    def check(self, model: LoadedModel) -> None:
        """Refuse a model whose down projections do not write into the residual stream.

        Raises:
            UnsupportedArchitecture: what one of the edited layers writes arrives in other directions.
            InvalidInput: the model has no such layer.
        """
        writing_scales(model, self._layers(model))

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Compute the changes of the down projections.

        Raises:
            EditDiverged: the search or a solve gave values that are not finite.
            InvalidInput: the model has no such layer, or an edit names no new object.
            UnsupportedArchitecture: what a down projection writes does not reach the residual stream as it is.
            Cancelled: raised by ``progress``.
        """
        request = in_contexts(request.canonical(), least=self.config.least_prompts)
        layers = self._layers(model)
        scales = writing_scales(model, layers)
        keys = locate(model.tokenizer, request, retain=self.config.retain > 0)
        found = self._search(model, request, keys, layers[-1], progress)
        statistics.prepare(layers)
        names = [model.architecture.down_projection(layer).parameter_name for layer in layers]
        deltas: dict[str, Dense] = {}
        with torch.no_grad(), borrowed(model.model, names) as parameters:
            inputs, clean = _keys_and_outputs(model, keys.lookups, layer=layers[0], top=layers[-1])
            # equation 14: the values to reach at the last edited block; retained rows keep theirs
            wanted, outputs = clean.clone(), clean
            wanted[: keys.edits] += found.change[list(keys.slots)].to(clean)
            for done, layer in enumerate(layers):
                progress.step("solve", done, len(layers))
                if done:
                    inputs, outputs = _keys_and_outputs(model, keys.lookups, layer=layer, top=layers[-1])
                residuals = (wanted - outputs) / (len(layers) - done) / scales[layer]
                moment = statistics.second_moment(layer).to(inputs.device)
                delta = self._solve(moment, inputs.T, residuals.T, edits=keys.edits)
                projection = model.architecture.down_projection(layer)
                parameter = parameters[projection.parameter_name]
                change = projection.as_parameter(delta.to(wide(parameter).dtype))
                deltas[projection.parameter_name] = Dense(change)
                parameter.copy_(wide(parameter) + change)
            progress.step("solve", len(layers), len(layers))
            edited = keys.lookups[: keys.edits]
            _, reached = _keys_and_outputs(model, edited, layer=layers[-1], top=layers[-1])
        met = found.met[list(keys.slots)].to(clean.device)
        realised = _realised(keys, clean[: keys.edits], wanted[: keys.edits], reached, met)
        return Weights(deltas=deltas, metadata=self._metadata(model, request, found, layers, realised))

    def _layers(self, model: LoadedModel) -> tuple[int, ...]:
        if self.config.layers:
            return tuple(sorted(set(self.config.layers)))
        return default_layers(model.architecture.num_layers)

    def _search(
        self, model: LoadedModel, request: UpdateRequest, keys: Keys, layer: int, progress: Progress
    ) -> SearchResult:
        """Equation 3: the value changes that make the model answer with the targets."""
        settings = SearchSettings(
            layer=layer,
            steps=self.config.steps,
            learning_rate=self.config.learning_rate,
            clamp=self.config.clamp,
            decay=self.config.decay,
            stop=self.config.stop,
            window=self.config.patience,
            share=self.config.progress,
            settle=self.config.settle if request.goal is Goal.EDIT else 0.0,
        )
        shares = Shares(
            essence=self.config.essence,
            openings=self.config.openings,
            own_facts=self.config.own_facts,
        )
        with computing_in(model.model, frozen_dtype(self.config.compute_dtype)):
            rows = self._task_rows(model, request, keys) + preserving_rows(model, request, keys, shares)
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

    def _task_rows(self, model: LoadedModel, request: UpdateRequest, keys: Keys) -> list[SearchRow]:
        source = TargetSource(model, request, end=self.config.end, paths=self.config.paths)
        rows: list[SearchRow] = []
        for number, update in enumerate(request.updates):
            prompts = distinct_prompts(update.prompts, self.config.search_prompts)
            for prompt in prompts:
                position = lookup(model.tokenizer, prompt).position
                rows.extend(
                    SearchRow(
                        row=target.row,
                        lookup=position,
                        edit=keys.slot_of[number],
                        targets=target.targets,
                        weight=target.weight / len(prompts),
                    )
                    for target in source.rows(number, prompt.text)
                )
        return rows

    def _solve(self, moment: Tensor, keys: Tensor, residuals: Tensor, *, edits: int) -> Tensor:
        """Equations 5, 6 and 12: Δ = R (K̃ᵀK̃ + λI)⁻¹ K̃ᵀ with K̃ = P [K₁, K_p] and residual 0 at K_p. shape: (d, f)."""
        space = null_space(moment, kept=self.config.kept)
        projected = space.project(keys.double())
        scale = float(projected[:, :edits].square().sum(0).mean())
        if not scale > 0:
            raise EditDiverged("the edited keys vanish in the kept directions", field="kept", value=self.config.kept)
        columns = torch.ones(keys.shape[1], dtype=torch.bool, device=keys.device)
        columns[edits:] = distinct_from(projected[:, :edits], projected[:, edits:])
        chosen, wanted = projected[:, columns], residuals.double()[:, columns]
        penalty = self.config.penalty * scale
        alone = ridge(keys=chosen[:, :edits], residuals=wanted[:, :edits], penalty=penalty)
        free = _shares(alone, chosen[:, :edits], wanted[:, :edits])
        # a fact that the model answers already wants nothing; its share of nothing is noise
        size = wanted[:, :edits].norm(dim=0)
        judged = (size > _SMALL * size.max()) & (free > 0)
        retain = self.config.retain
        while retain > _LEAST_RETAIN:
            weights = torch.ones(chosen.shape[1], dtype=torch.float64, device=keys.device)
            weights[edits:] = retain**0.5
            delta = ridge(keys=chosen * weights, residuals=wanted * weights, penalty=penalty)
            reached = _shares(delta, chosen[:, :edits], wanted[:, :edits])
            if bool((reached >= self.config.least * free)[judged].all()):
                return delta
            # retained keys that are close to an edited one, or that fill the space, would take the edit away
            retain *= _RETAIN_STEP
        return alone

    def _metadata(
        self,
        model: LoadedModel,
        request: UpdateRequest,
        found: SearchResult,
        layers: Sequence[int],
        realised: Sequence[tuple[float, float]],
    ) -> dict[str, str]:
        facts = [
            {"fact_id": update.fact_id, "along": round(along, 4), "across": round(across, 4)}
            for update, (along, across) in zip(request.updates, realised, strict=True)
        ]
        return {
            "realised": json.dumps(facts),
            "method": self.name,
            "compute_dtype": name_of(frozen_dtype(self.config.compute_dtype) or model.model.dtype),
            "goal": request.goal.value,
            "target_distribution": request.target_distribution.value,
            "layers": ",".join(map(str, layers)),
            "mean_steps": f"{float(found.steps.float().mean()):.2f}",
            "mean_loss": f"{float(found.loss.mean()):.4f}",
        }


def _shares(delta: Tensor, keys: Tensor, wanted: Tensor) -> Tensor:
    """Share of each wanted change that a layer's update gives its key. shapes: (d, f), (f, n), (d, n) -> (n,)."""
    return (delta @ keys * wanted).sum(0) / wanted.square().sum(0).clamp_min(1e-30)


def _realised(keys: Keys, clean: Tensor, wanted: Tensor, reached: Tensor, met: Tensor) -> list[tuple[float, float]]:
    """For each update the share of the wanted change that arrived, and the norm of the rest as a share of it.

    Means over the look-ups of its prompts. Where nothing was to change, all of it arrived if the target was ``met``
    before, and none of it if no change was found that is better than none; what came along is a share of the clean
    value. shapes: (m, d) of the values, (m,) of ``met``.
    """
    change, moved = wanted - clean, reached - clean
    size = change.norm(dim=1)
    nothing = size <= _NOTHING * clean.norm(dim=1)
    unit = torch.where(nothing, clean.norm(dim=1), size).clamp_min(1e-30)
    along = torch.where(nothing, met.to(size), (moved * change).sum(1) / unit.square())
    across = (moved - torch.where(nothing, 0.0, along)[:, None] * change).norm(dim=1) / unit
    return [(float(along[list(own)].mean()), float(across[list(own)].mean())) for own in keys.columns]


def _keys_and_outputs(model: LoadedModel, lookups: Sequence[Lookup], *, layer: int, top: int) -> tuple[Tensor, Tensor]:
    """Keys at ``layer`` and outputs of block ``top``, both at the lookups. shapes: (n, f), (n, d)."""
    architecture = model.architecture
    projection, last = architecture.down_projection(layer), architecture.block(top)
    precise = torch.promote_types(model.model.dtype, torch.float32)
    inputs = torch.zeros(len(lookups), projection.in_features, device=model.device, dtype=precise)
    outputs = torch.zeros(len(lookups), architecture.hidden_size, device=model.device, dtype=precise)
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
        inputs[chosen] = keys.value.to(precise)
        outputs[chosen] = values.value.to(precise)
    return inputs, outputs
