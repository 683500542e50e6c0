"""Locate, then edit: what every method of the family does alike. A method adds its solve, and where its values stand.

In order: phrasings behind other text, sites, look-ups; a value change δ per fact (``value_search``); layer by layer the
keys and the residuals, the method's solve, and the change of the weights, so that the next layer sees it. δ stands

- on top of the last edited block's output, and the residual is spread over the layers (MEMIT), or
- on top of what the projections themselves write (ROME's one layer). So it is wherever a norm or a gate follows one of
  them: there no change of the residual stream is in reach of a linear map, and each edited layer is given its own δ.

Every fact's realised change is measured after the last layer and kept with the artefact: the share of δ that arrived,
and what came along in other directions.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

import torch
from torch import Tensor

from knowledgesmith.editors.architectures.layers import default_layers
from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.contract import Family, KeyStatistics, MethodConfig, Progress
from knowledgesmith.editors.locate.columns import Columns, columns_of
from knowledgesmith.editors.locate.config import LocateConfig
from knowledgesmith.editors.locate.keys import Keys, locate
from knowledgesmith.editors.locate.lookups import lookup
from knowledgesmith.editors.locate.preserving import Shares, preserving_rows
from knowledgesmith.editors.locate.sweep import Seen, Sweep
from knowledgesmith.editors.locate.value_search import SearchResult, SearchRow, SearchSettings, search_values
from knowledgesmith.editors.models.precision import frozen_dtype, name_of
from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.objective.targets import ACCEPTED, TargetSource, distinct_prompts
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.sites.site import Site, sites
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.text.contexts import in_contexts
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

_NOTHING = 1e-6
"""A wanted change below this share of the clean value is none."""

C = TypeVar("C", bound=LocateConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a request is edited.

    Attributes:
        sites: the edited projections, lowest first.
        inside: whether the values stand on what the projections write, one a site; else one on the top block's output.
        keys: the look-ups.
    """

    sites: tuple[Site, ...]
    inside: bool
    keys: Keys

    @property
    def layers(self) -> tuple[int, ...]:
        """The edited blocks."""
        return tuple(site.layer for site in self.sites)

    @property
    def top(self) -> int:
        """The last edited block."""
        return self.layers[-1]


class LocateThenEdit(ABC, Generic[C]):
    """A method of the family; see :meth:`solve`."""

    name: ClassVar[str]
    family: ClassVar[Family] = Family.WEIGHTS
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = ACCEPTED
    config_type: ClassVar[type[MethodConfig]]
    one_layer: ClassVar[bool] = False
    """Whether the values stand on what the (one) projection writes, as in ROME, and not on a block's output."""

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("C", config)

    @property
    def keeps_rows(self) -> bool:
        """Whether retained prompts are columns of the solve."""
        return False

    @abstractmethod
    def solve(self, columns: Columns, moment: Tensor) -> Tensor:
        """The change of one layer's projection.

        Args:
            columns: keys and wanted changes, in float32 or wider.
            moment: C = E[k kᵀ] of the projection's inputs. shape: (f, f).

        Returns:
            Δ. shape: (d, f).

        Raises:
            EditDiverged: there is no finite solution.
        """

    def check(self, model: LoadedModel) -> None:
        """Refuse a model whose down projections do not write into the residual stream.

        Raises:
            UnsupportedArchitecture: nothing of what one of the edited layers writes arrives.
            InvalidInput: the model has no such layer.
        """
        sites(model, self._layers(model))

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Compute the changes of the down projections.

        Raises:
            EditDiverged: the search or a solve gave values that are not finite.
            InvalidInput: the model has no such layer, or an edit names no new object.
            UnsupportedArchitecture: what a down projection writes does not reach the residual stream.
            Cancelled: raised by ``progress``.
        """
        request = in_contexts(request.canonical(), least=self.config.least_prompts)
        chosen = sites(model, self._layers(model))
        inside = self.one_layer or not all(site.direct for site in chosen)
        keys = locate(model.tokenizer, request, retain=self.keeps_rows)
        plan = Plan(sites=chosen, inside=inside, keys=keys)
        found = self._search(model, request, plan, progress)
        statistics.prepare(plan.layers)
        deltas, realised = self._written(model, plan, found, statistics, progress)
        return Weights(deltas=deltas, metadata=self._metadata(model, request, plan, found, realised))

    def _layers(self, model: LoadedModel) -> tuple[int, ...]:
        if self.config.layers:
            return tuple(sorted(set(self.config.layers)))
        layers = default_layers(model.architecture.num_layers)
        return layers[:1] if self.one_layer else layers

    def _search(self, model: LoadedModel, request: UpdateRequest, plan: Plan, progress: Progress) -> SearchResult:
        """The value changes that make the model answer with the targets."""
        settings = SearchSettings(
            layer=plan.top,
            inside=plan.layers if plan.inside else (),
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
            rows = self._task_rows(model, request, plan.keys) + preserving_rows(model, request, plan.keys, shares)
            found = search_values(
                model, rows, settings=settings, step=lambda done, total: progress.step("value search", done, total)
            )
        if not bool(torch.isfinite(found.changes).all()):
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

    @torch.no_grad()
    def _written(
        self, model: LoadedModel, plan: Plan, found: SearchResult, statistics: KeyStatistics, progress: Progress
    ) -> tuple[dict[str, Dense], list[tuple[float, float]]]:
        """The changes, layer by layer, and what of the wanted values arrived."""
        names = [site.projection.parameter_name for site in plan.sites]
        wanted = found.changes[list(plan.keys.slots)]
        deltas: dict[str, Dense] = {}
        clean: list[Tensor] = []
        with borrowed(model.model, names) as parameters:
            sweep = Sweep(model, plan.keys.lookups, top=plan.top)
            for done, site in enumerate(plan.sites):
                progress.step("solve", done, len(plan.sites))
                seen = sweep.at(site.layer)
                clean += [_read(plan, seen)] if plan.inside or not done else []
                residuals = _residuals(plan, seen, wanted, clean, done)
                columns = columns_of(plan.keys, seen.keys, residuals, mean=self.config.keys == "mean")
                moment = statistics.second_moment(site.layer).to(seen.keys.device)
                parameter = parameters[site.projection.parameter_name]
                change = site.projection.as_parameter(self.solve(columns, moment).to(wide(parameter).dtype))
                deltas[site.projection.parameter_name] = Dense(change)
                parameter.copy_(wide(parameter) + change)
            progress.step("solve", len(plan.sites), len(plan.sites))
            reached = _reached(model, plan)
        met = found.met[list(plan.keys.slots)]
        return deltas, _realised(plan.keys, [one[: plan.keys.edits] for one in clean], wanted, reached, met)

    def _metadata(
        self,
        model: LoadedModel,
        request: UpdateRequest,
        plan: Plan,
        found: SearchResult,
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
            "layers": ",".join(map(str, plan.layers)),
            "values": "projection" if plan.inside else "block",
            "mean_steps": f"{float(found.steps.float().mean()):.2f}",
            "mean_loss": f"{float(found.loss.mean()):.4f}",
        }


def _read(plan: Plan, seen: Seen) -> Tensor:
    """The activation that the values stand on. shape: (n, d)."""
    return seen.written if plan.inside else seen.outputs


def _residuals(plan: Plan, seen: Seen, wanted: Tensor, clean: Sequence[Tensor], done: int) -> Tensor:
    """Wanted changes of what one projection writes, at every look-up; retained ones keep their value. shape: (n, d)."""
    edits = plan.keys.edits
    if plan.inside:
        residuals = torch.zeros_like(seen.written)
        residuals[:edits] = wanted[:, done].to(residuals)
        return residuals
    # MEMIT, equation 14: the value to reach at the last edited block, less what the layers so far have reached
    target = clean[0].clone()
    target[:edits] += wanted[:, 0].to(target)
    return (target - seen.outputs) / (len(plan.sites) - done) / plan.sites[done].scale


def _reached(model: LoadedModel, plan: Plan) -> list[Tensor]:
    """The edited look-ups' activations after the last layer, one tensor a value."""
    sweep = Sweep(model, plan.keys.lookups[: plan.keys.edits], top=plan.top)
    layers = plan.layers if plan.inside else plan.layers[-1:]
    return [_read(plan, sweep.at(layer)) for layer in layers]


def _realised(
    keys: Keys, clean: Sequence[Tensor], wanted: Tensor, reached: Sequence[Tensor], met: Tensor
) -> list[tuple[float, float]]:
    """For each update the share of the wanted change that arrived, and the norm of the rest as a share of it.

    Means over the look-ups of its prompts. Where nothing was to change, all of it arrived if the target was ``met``
    before, and none of it if no change was found that is better than none; what came along is a share of the clean
    value. The values of several sites count as one long one. shapes: (m, d) each of the clean and reached values,
    (m, places, d) of the wanted changes, (m,) of ``met``.
    """
    before = torch.cat(list(clean), dim=1)
    change, moved = wanted.flatten(1).to(before), torch.cat(list(reached), dim=1) - before
    size = change.norm(dim=1)
    nothing = size <= _NOTHING * before.norm(dim=1)
    unit = torch.where(nothing, before.norm(dim=1), size).clamp_min(1e-30)
    along = torch.where(nothing, met.to(size), (moved * change).sum(1) / unit.square())
    across = (moved - torch.where(nothing, 0.0, along)[:, None] * change).norm(dim=1) / unit
    return [(float(along[list(own)].mean()), float(across[list(own)].mean())) for own in keys.columns]
