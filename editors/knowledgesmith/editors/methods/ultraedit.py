"""UltraEdit (Gu et al. 2025, arXiv 2505.14679): one backward pass tells what to write, one ridge regression writes it.

In the paper's order: a forward and a backward pass over the facts of a turn; at every position that predicts a token of
an answer, of each edited linear map y = W h, the features (h, ∂L/∂y); their running normalisation; the wanted change
of y, v = -η ‖ĥ‖² ĝ; and Δ = VᵀH (HᵀH + λI)⁻¹ on the raw h, a row a position. Nothing is searched for or trained, so a
fact costs one pass where a value search takes dozens. Differences from the authors' code, all to keep what should stay
and to make a setting mean the same on every model:

- features are scaled by their root mean square and not centred: a request is short, and what its facts have in common,
  which for one fact is everything, is no offset to be taken away (``centre`` brings the authors' way back);
- η is relative: it is chosen so that the mean wanted change is a share (``step``) of the map's mean output there, and
  λ is in units of the mean ‖h‖²;
- retained rows are columns whose wanted change is zero, and what changes at the tokens of the statistics text is
  penalised (MEMIT's C, equation 14 there); the authors preserve nothing;
- a fact that is met already wants nothing: where all are, their small gradients would be scaled up to a full step;
- the target is any distribution, so the same method unlearns: the gradient is that of KL(q ‖ p);
- changes are kept in float32 and never added into half-precision weights one turn at a time;
- the normalisation runs over the turns of a request and begins anew with each request, where the authors' goes on for
  the life of the model: an artefact does not depend on others that may be revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import torch
from pydantic import Field
from torch import Tensor

from knowledgesmith.editors.artefacts.weights import Dense, Weights
from knowledgesmith.editors.contract import (
    AuthorValue,
    Family,
    KeyStatistics,
    MethodConfig,
    ObjectiveRow,
    Progress,
)
from knowledgesmith.editors.objective.divergence import Targets, divergence, per_row, wide
from knowledgesmith.editors.objective.passes import asking
from knowledgesmith.editors.objective.rows import AnswerBatch, Row, answer_batch, buckets
from knowledgesmith.editors.objective.targets import ACCEPTED, TargetRow, TargetSource, closed_row, distinct_prompts
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.solve.kfac import ridge_in_metric
from knowledgesmith.editors.solve.least_squares import ridge
from knowledgesmith.editors.statistics.gradients import keys_and_gradients
from knowledgesmith.editors.statistics.maps import highest_block, linear_map
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import capture_input, stop_after
from knowledgesmith.graph_schema.errors import EditDiverged
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.architectures.base import Projection
    from knowledgesmith.editors.models.loaded import LoadedModel

_ROWS = 64
_TINY = 1e-30
_ULTRA = "Gu et al. 2025, released settings"


class UltraEditConfig(MethodConfig):
    """Settings; every default is ours (:attr:`author_values` has those of the published runs).

    ``layers``, ``step`` and ``protect`` were chosen on six capitals of the default model, on no more than that: blocks
    in the middle took the answers away without giving others, and a step of 1.5 what stands beside them too.

    Attributes:
        layers: edited blocks. Empty: the last quarter.
        sites: which maps of a block's MLP are edited: ``down``, the one that writes to the residual stream, or ``up``,
            those that read from it (gate and up).
        step: mean norm of the wanted change of a map's output, in units of the mean norm of that output.
        penalty: ridge penalty in units of the mean squared norm of the keys.
        turn: facts whose features are taken together; the next turn sees the weights that this one wrote.
        prompts: training phrasings of a fact.
        margin: task loss below which a fact is met and its answers' positions only hold what they have.
        centre: whether the mean of the features is taken away before they are scaled.
        retain: weight of the retained rows' key columns, relative to an edited one.
        protect: weight of the change of the map's output at an average token of the statistics text, relative to the
            mean error at the columns; 0 needs no text.
        paths: neutral candidates followed beyond their first token (UNLEARN).
        end: what closes a new object.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            "layers": AuthorValue(
                value="11-15 (gate) and 18-24 (up) of Llama-3-8B; 18-26 of Qwen2.5-7B; 18-26 of GPT-J; 29-30 of "
                "Mistral-7B; 30-38 of Phi-4; 52-60 of Gemma-3-27B",
                source=_ULTRA,
            ),
            "sites": AuthorValue(value="up (gate and up); down for GPT-J, Mistral and Phi-4", source=_ULTRA),
            "step": AuthorValue(value="1e-6", source=_ULTRA, note="η itself; absolute"),
            "penalty": AuthorValue(value="1", source=_ULTRA, note="absolute"),
            "turn": AuthorValue(value="100", source=_ULTRA, note="read in mini-batches of 10"),
            "centre": AuthorValue(value="true", source=_ULTRA, note="over the whole life of the model"),
            "margin": AuthorValue(value="0", source=_ULTRA),
            "retain": AuthorValue(value="0", source=_ULTRA),
            "protect": AuthorValue(value="0", source=_ULTRA),
        }
    )

    layers: tuple[int, ...] = ()
    sites: Literal["down", "up"] = "down"
    step: float = Field(default=0.15, gt=0)
    penalty: float = Field(default=0.1, gt=0)
    turn: int = Field(default=100, ge=1)
    prompts: int = Field(default=4, ge=1)
    margin: float = Field(default=0.05, ge=0)
    centre: bool = False
    retain: float = Field(default=1.0, ge=0)
    protect: float = Field(default=30.0, ge=0)
    paths: int = Field(default=2, ge=1)
    end: str = Field(default=".", max_length=8)


class UltraEdit:
    """One-shot editing from the gradients of the answers."""

    name: ClassVar[str] = "ultraedit"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="⟨∇KL(q_target ‖ p), Δ⟩, normalised, then ‖ΔH - V‖²",
        preservation="zero change at retained rows; tr(Δ C Δᵀ) on the statistics text",
        regulariser="λ ‖Δ‖²",
        operator="one gradient; closed form on Δ (one ridge regression a map)",
        source="Gu et al. 2025, arXiv 2505.14679",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = ACCEPTED
    config_type: ClassVar[type[MethodConfig]] = UltraEditConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("UltraEditConfig", config)

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Compute the changes of the edited maps.

        Raises:
            EditDiverged: the features or the changes are not finite.
            InvalidInput: the model has no such layer, or an edit names no new object.
            Cancelled: raised by ``progress``.
        """
        request = request.canonical()
        maps = self._maps(model)
        moments = self._moments(statistics, maps)
        source = TargetSource(model, request, end=self.config.end, paths=self.config.paths)
        retained = _retained(model, request) if self.config.retain else []
        normalisers = {name: Normaliser(centre=self.config.centre) for name in maps}
        names = [item.parameter_name for item in maps.values()]
        base = {name: wide(model.model.get_parameter(name).detach()).clone() for name in names}
        changes = {name: torch.zeros_like(value) for name, value in base.items()}
        turns = list(self._turns(len(request.updates)))
        with torch.no_grad(), borrowed(model.model, names) as parameters:
            for number, facts in enumerate(turns):
                progress.step("turns", number, len(turns))
                asked = [row for fact in facts for row in self.rows(request, source, fact)]
                features = read_features(model, asked, maps)
                kept = read_keys(model, retained, maps)
                _check_finite(features, kept)
                for name, item in maps.items():
                    delta = self._delta(item, normalisers[name], features[name], kept[name], moments.get(name))
                    change = changes[item.parameter_name]
                    change += item.as_parameter(delta.to(change.dtype))
                    parameters[item.parameter_name].copy_(base[item.parameter_name] + change)
            progress.step("turns", len(turns), len(turns))
        metadata = {
            "method": self.name,
            "goal": request.goal.value,
            "target_distribution": request.target_distribution.value,
            "maps": ",".join(maps),
            "turns": str(len(turns)),
            "normaliser": "of this request",
        }
        return Weights(deltas={name: Dense(change) for name, change in changes.items()}, metadata=metadata)

    def _maps(self, model: LoadedModel) -> dict[str, Projection]:
        """The edited maps by name, lowest block first."""
        depth = model.architecture.num_layers
        layers = sorted(set(self.config.layers)) if self.config.layers else late_layers(depth)
        down = [model.architecture.down_projection(layer) for layer in layers]
        if self.config.sites == "down":
            return {item.name: item for item in down}
        found = [item for writer in down for item in _readers(model, writer)]
        return {item.name: item for item in found}

    def _moments(self, statistics: KeyStatistics, maps: Mapping[str, Projection]) -> dict[str, Tensor]:
        """E[k kᵀ] of every map where the text is protected; none where it is not. shapes: (f, f)."""
        if not self.config.protect:
            return {}
        statistics.prepare_maps(tuple(maps))
        return {name: statistics.key_moment(name) for name in maps}

    def _turns(self, facts: int) -> Iterator[range]:
        for start in range(0, facts, self.config.turn):
            yield range(start, min(start + self.config.turn, facts))

    def rows(self, request: UpdateRequest, source: TargetSource, fact: int) -> list[Asked]:
        """What is asked of the model for one fact: its training phrasings, each with the target's answers."""
        prompts = distinct_prompts(request.updates[fact].prompts, self.config.prompts)
        return [
            Asked(target=target, fact=fact, weight=target.weight / len(prompts))
            for prompt in prompts
            for target in source.rows(fact, prompt.text)
        ]

    def _delta(
        self, item: Projection, normaliser: Normaliser, features: Features, kept: Tensor, moment: Tensor | None
    ) -> Tensor:
        """Δ of one map for one turn, in float64. shape: (d, f)."""
        pushing = features.losses >= self.config.margin
        held = torch.cat([features.keys[~pushing], kept * self.config.retain**0.5])
        keys, gradients = features.keys[pushing], features.gradients[pushing]
        if not len(keys):
            return keys.new_zeros(item.out_features, item.in_features)
        normaliser.update(torch.cat([keys, gradients], dim=1))
        scaled = normaliser.scaled(torch.cat([keys, gradients], dim=1))
        small, pull = scaled[:, : keys.shape[1]], scaled[:, keys.shape[1] :]
        wanted = -small.square().sum(1, keepdim=True) * pull
        sizes = wanted.norm(dim=1).mean()
        if not bool(sizes > 0):
            raise EditDiverged(
                "the gradients of the answers vanish",
                field="centre",
                value=self.config.centre,
                hint="One position alone has nothing left once its mean is taken away: leave method_config.centre off.",
            )
        # η of the authors, so that the mean wanted change is a share of the mean output
        reach = (keys @ item.matrix().to(keys).T).norm(dim=1).mean()
        values = wanted * (self.config.step * reach / sizes)
        columns = torch.cat([keys, held])
        residuals = torch.cat([values, values.new_zeros(len(held), values.shape[1])])
        penalty = self.config.penalty * float(keys.square().sum(1).mean())
        if moment is None:
            return ridge(keys=columns.T, residuals=residuals.T, penalty=penalty)
        metric = self.config.protect * len(columns) * moment.to(columns)
        metric.diagonal().add_(penalty)
        return ridge_in_metric(keys=columns.T, residuals=residuals.T, metric=metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A row of a fact: number of the fact, and share of the row in its loss."""

    target: TargetRow
    fact: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What one map has at the m positions that predict answer tokens; float64.

    Attributes:
        keys: its inputs h. shape: (m, f).
        gradients: ∂L/∂y of its outputs. shape: (m, d).
        losses: loss of the fact that each position belongs to, in nats. shape: (m,).
    """

    keys: Tensor
    gradients: Tensor
    losses: Tensor


@dataclass(slots=True, kw_only=True)
class Normaliser:
    """Running moments of features, one pair a column; float64."""

    centre: bool
    count: int = 0
    total: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    squares: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def update(self, rows: Tensor) -> None:
        """Take in features. shape: (m, c)."""
        self.count += len(rows)
        self.total = self.total.to(rows.device) + rows.sum(0)
        self.squares = self.squares.to(rows.device) + rows.square().sum(0)

    def scaled(self, rows: Tensor) -> Tensor:
        """Features of about size 1 in every column; a column that is always zero stays so. shape: (m, c)."""
        mean = self.total / self.count if self.centre else torch.zeros_like(self.total)
        spread = (self.squares / self.count - mean.square()).clamp_min(0).sqrt()
        return torch.where(spread > 0, (rows - mean) / spread.clamp_min(_TINY), 0.0)


def _check_finite(features: Mapping[str, Features], kept: Mapping[str, Tensor]) -> None:
    """A loss that is no number would pass for one that is met."""
    for name, found in features.items():
        parts = (found.keys, found.gradients, found.losses, kept[name])
        if not all(bool(part.isfinite().all()) for part in parts):
            raise EditDiverged(
                "the features of a map are not finite",
                field="map",
                value=name,
                hint="Check that the model's weights are finite; float16 may overflow where bfloat16 does not.",
            )


def late_layers(depth: int) -> tuple[int, ...]:
    """The last quarter of the blocks, 22-29 of 30: where the published choices lie. Our rule, not a published one."""
    return tuple(range(min(round(depth * 3 / 4), depth - 1), depth))


def read_features(model: LoadedModel, asked: Sequence[Asked], maps: Mapping[str, Projection]) -> dict[str, Features]:
    """Features of every map, from one forward and one backward pass over the rows."""
    found: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in maps}
    facts: list[Tensor] = []
    losses = torch.zeros(max(row.fact for row in asked) + 1, dtype=torch.float64, device=model.device)
    for chosen in buckets([row.target.row for row in asked], size=_ROWS):
        some = [asked[i] for i in chosen]
        batch = answer_batch([row.target.row for row in some], device=model.device)
        targets = Targets.join([row.target.targets.to(model.device) for row in some])
        weights = torch.tensor([row.weight for row in some], device=model.device, dtype=torch.float64)
        numbers = torch.tensor([row.fact for row in some], device=model.device)

        loss = _summed(targets, batch, numbers, weights, losses)
        arguments = {"input_ids": batch.ids, "attention_mask": batch.mask}
        with asking(batch):
            keys, gradients = keys_and_gradients(
                model, arguments, maps, rows=batch.row, positions=batch.position, loss=loss
            )
        for name in maps:
            at = (batch.row, batch.position)
            found[name].append((keys[name][at].double(), gradients[name][at].double()))
        facts.append(numbers[batch.row])
    of_position = losses[torch.cat(facts)]
    return {
        name: Features(
            keys=torch.cat([keys for keys, _ in parts]),
            gradients=torch.cat([gradients for _, gradients in parts]),
            losses=of_position,
        )
        for name, parts in found.items()
    }


def _summed(
    targets: Targets, batch: AnswerBatch, facts: Tensor, weights: Tensor, losses: Tensor
) -> Callable[[Tensor], Tensor]:
    """The weighted loss of a batch; what each row adds to its fact's is noted in ``losses``. shape: (facts,)."""

    def loss(logits: Tensor) -> Tensor:
        own = per_row(divergence(logits, targets), batch.row, len(weights)) * weights.to(logits.dtype)
        losses.index_add_(0, facts, own.detach().double())
        return own.sum()

    return loss


def read_keys(model: LoadedModel, rows: Sequence[Row], maps: Mapping[str, Projection]) -> dict[str, Tensor]:
    """Inputs of every map at the positions that predict the rows' answers. shapes: (m, f), float64."""
    found = {
        name: [torch.zeros(0, item.in_features, dtype=torch.float64, device=model.device)]
        for name, item in maps.items()
    }
    top = highest_block(model, maps)
    for chosen in buckets(rows, size=_ROWS):
        batch = answer_batch([rows[i] for i in chosen], device=model.device)
        with ExitStack() as stack:
            seen = {name: stack.enter_context(capture_input(item.module)) for name, item in maps.items()}
            with asking(batch), stop_after(top):
                model.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False)
        for name, capture in seen.items():
            found[name].append(capture.value[batch.row, batch.position].double())
    return {name: torch.cat(parts) for name, parts in found.items()}


def _retained(model: LoadedModel, request: UpdateRequest) -> list[Row]:
    return [closed_row(model.tokenizer, prompt=item.prompt.text, answer=item.answer) for item in request.retain]


def _readers(model: LoadedModel, writer: Projection) -> list[Projection]:
    """The maps beside a down projection that read from the residual stream: gate and up, or the one there is."""
    parent = writer.name.rpartition(".")[0]
    beside = (name for name in model.architecture.linear_names if name.rpartition(".")[0] == parent)
    found = [linear_map(model, name) for name in beside if name != writer.name]
    return [item for item in found if item.in_features == writer.out_features]
