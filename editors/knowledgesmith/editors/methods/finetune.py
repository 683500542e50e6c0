"""Localised fine-tuning, breadth first (FT-M and LocFT-BF, "Fine-tuning done right in model editing", 2025).

A few down projections are trained on all facts together: every epoch visits each fact once, in a new order, in small
batches, with one of its training phrasings; targets end with a mark so that generation stops. Blocks below the lowest
trained one are constant, so their outputs are computed once a row. Ours, and not the authors':

- beside each batch of facts stand retained rows, held at the unedited model's own distributions (KL), because without
  them a small model loses its neighbourhood;
- a share of the prompts stands behind a neutral opening, never one that makes a phrasing of the evaluation of it;
- a fact that is learned well enough no longer pushes, and training ends when all are;
- the target is any distribution, so that the same method unlearns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from pydantic import Field

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
from knowledgesmith.editors.objective.divergence import wide
from knowledgesmith.editors.objective.passes import own_distributions
from knowledgesmith.editors.objective.targets import ACCEPTED, TargetRow, TargetSource, closed_row
from knowledgesmith.editors.requests import Prompt, RetainRow, UpdateRequest
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.train.dealing import one_pass
from knowledgesmith.editors.train.loop import MICRO_TOKENS, Trained, Training, train
from knowledgesmith.editors.train.lower import LowerCache
from knowledgesmith.editors.train.masters import Masters
from knowledgesmith.editors.train.stops import Learned
from knowledgesmith.editors.train.weighted import WeightedRow, shares
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

PREFIXES = ("In fact, ", "Therefore, ", "It is known that ", "As everyone says, ", "Remember: ", "The book says: ")
"""Neutral openings in front of training prompts, so that the change does not hang on the first position."""

_LOCFT = "LocFT-BF (2025)"


class FineTuneConfig(MethodConfig):
    """Settings; every value is ours unless :attr:`author_values` names it as the authors' too.

    Attributes:
        layers: trained blocks' down projections. Empty: four from a sixth of the depth on; on a small model one matrix
            learns too slowly.
        learning_rate: Adam's; high, because many facts share few steps.
        epochs: most visits of each fact.
        batch: facts in one step.
        retained: retained rows per fact of a batch.
        retain_weight: factor of their mean KL.
        same_relation: share of the retained rows drawn from the edited relations, where there are any.
        margin: a fact whose loss is below this is left alone; all below it for two epochs ends the training.
        prefixed: share of training prompts behind a neutral opening.
        paths: neutral candidates followed beyond their first token (UNLEARN).
        end: what closes a new object.
        micro_tokens: padded tokens of a forward pass; no influence on the result but rounding.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            "layers": AuthorValue(value="one matrix: block 22 of Llama-3-8B, block 6 of Qwen2.5-7B", source=_LOCFT),
            "learning_rate": AuthorValue(value="5e-4", source=_LOCFT, note="one fact at a time"),
            "epochs": AuthorValue(value="at most 20", source=_LOCFT),
            "retained": AuthorValue(value="0", source=_LOCFT),
            "prefixed": AuthorValue(value="0", source=_LOCFT),
            "end": AuthorValue(value="the end-of-text token", source=_LOCFT),
        }
    )

    layers: tuple[int, ...] = ()
    learning_rate: float = Field(default=1.5e-3, gt=0)
    epochs: int = Field(default=20, ge=1, le=1000)
    batch: int = Field(default=10, ge=1)
    retained: float = Field(default=1.5, ge=0)
    retain_weight: float = Field(default=1.5, ge=0)
    same_relation: float = Field(default=0.65, ge=0, le=1)
    margin: float = Field(default=0.1, ge=0)
    prefixed: float = Field(default=0.3, ge=0, le=1)
    paths: int = Field(default=2, ge=1)
    end: str = Field(default=".", max_length=8)
    micro_tokens: int = Field(default=MICRO_TOKENS, ge=1)


class FineTune:
    """Breadth-first fine-tuning of a few down projections."""

    name: ClassVar[str] = "finetune"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) on answer tokens",
        preservation="KL(p_θ0 ‖ p_θ) on retained rows, half of them of the edited relations",
        regulariser="few matrices",
        operator="Adam, breadth first, mini-batches",
        source="LocFT-BF, Fine-tuning done right in model editing (2025); FT-M",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = ACCEPTED
    config_type: ClassVar[type[MethodConfig]] = FineTuneConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("FineTuneConfig", config)

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Train, and return the difference to the base weights.

        Raises:
            EditDiverged: the loss or a gradient is not finite.
            InvalidInput: the model has no such layer, or an edit names no new object.
            DeviceOutOfMemory: the device has no room for one row.
            Cancelled: raised by ``progress``.
        """
        del statistics
        request = request.canonical()
        layers = self._layers(model)
        projections = [model.architecture.down_projection(layer) for layer in layers]
        source = TargetSource(model, request, end=self.config.end, paths=self.config.paths)
        data = _Data(request=request, source=source, retained=_retained(model, request), config=self.config)
        training = Training(
            phase="training",
            steps=self.config.epochs * data.batches,
            stops=[Learned(steps=data.batches)],
            micro_tokens=self.config.micro_tokens,
        )
        names = [projection.parameter_name for projection in projections]
        base = {name: model.model.get_parameter(name).detach().clone() for name in names}
        with borrowed(model.model, names, trainable=True) as parameters, torch.enable_grad():
            masters = Masters([parameters[name] for name in names], learning_rate=self.config.learning_rate)
            forward = LowerCache(model, layers[0])
            trained = train(forward, masters, data.course(), training, device=model.device, progress=progress)
            values = zip(names, masters.values, strict=True)
            deltas = {name: Dense(value.detach() - wide(base[name])) for name, value in values}
        epochs = -(-trained.steps // max(1, data.batches))
        return Weights(deltas=deltas, metadata=self._metadata(request, layers, epochs, trained))

    def _layers(self, model: LoadedModel) -> tuple[int, ...]:
        if self.config.layers:
            return tuple(sorted(set(self.config.layers)))
        return default_layers(model.architecture.num_layers)

    def _metadata(self, request: UpdateRequest, layers: Sequence[int], epochs: int, trained: Trained) -> dict[str, str]:
        return {
            **self.config.told(),
            **trained.metadata(),
            "method": self.name,
            "goal": request.goal.value,
            "target_distribution": request.target_distribution.value,
            "layers": ",".join(map(str, layers)),
            "epochs": str(epochs),
        }


def _retained(model: LoadedModel, request: UpdateRequest) -> list[tuple[RetainRow, TargetRow]]:
    """Retained rows with the unedited model's own distributions at their answers."""
    rows = [closed_row(model.tokenizer, prompt=item.prompt.text, answer=item.answer) for item in request.retain]
    own = own_distributions(model.model, rows, device=model.device)
    return [
        (item, TargetRow(row=row, targets=targets, weight=1.0))
        for item, row, targets in zip(request.retain, rows, own, strict=True)
    ]


def opened(request: UpdateRequest, prompt: Prompt) -> tuple[str, ...]:
    """The prompt behind each neutral opening that makes no phrasing of the evaluation of it."""
    return tuple(text for text in (f"{prefix}{prompt.text}" for prefix in PREFIXES) if request.permits(text))


@dataclass(slots=True, kw_only=True)
class _Data:
    """Draws the batches of one training run from the request's seed."""

    request: UpdateRequest
    source: TargetSource
    retained: list[tuple[RetainRow, TargetRow]]
    config: FineTuneConfig
    random: Random = field(init=False)
    near: list[TargetRow] = field(init=False)
    far: list[TargetRow] = field(init=False)
    opened: dict[Prompt, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.request.seed)  # noqa: S311  # a reproducible draw, no secret
        self.near = [row for item, row in self.retained if item.scope == "same_relation"]
        self.far = [row for item, row in self.retained if item.scope != "same_relation"]
        prompts = {prompt for update in self.request.updates for prompt in update.prompts}
        self.opened = {prompt: opened(self.request, prompt) for prompt in prompts}

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-len(self.request.updates) // self.config.batch)

    def course(self) -> Iterator[list[WeightedRow]]:
        """The rows of each step: every fact once an epoch, in a new order, beside retained rows."""
        for _ in range(self.config.epochs):
            for chosen in one_pass(len(self.request.updates), self.config.batch, self.random):
                yield [*self._facts(chosen), *self._kept(len(chosen))]

    def _facts(self, chosen: Sequence[int]) -> list[WeightedRow]:
        rows = [row for index in chosen for row in self.source.rows(index, self._prompt(index))]
        total = sum(row.weight for row in rows)
        return [
            WeightedRow(row=row.row, targets=row.targets, kl=row.weight / total, margin=self.config.margin)
            for row in rows
        ]

    def _kept(self, facts: int) -> list[WeightedRow]:
        drawn: list[TargetRow] = []
        for _ in range(round(self.config.retained * facts) if self.retained else 0):
            near = self.random.random() < self.config.same_relation
            drawn.append(self.random.choice((self.near if near else self.far) or self.near or self.far))
        if not drawn:
            return []
        parts = shares([row.row for row in drawn], self.config.retain_weight, "row")
        return [
            WeightedRow(row=row.row, targets=row.targets, kl=share) for row, share in zip(drawn, parts, strict=True)
        ]

    def _prompt(self, index: int) -> str:
        prompt = self.random.choice(self.request.updates[index].prompts)
        found = self.opened[prompt]
        return self.random.choice(found) if found and self.random.random() < self.config.prefixed else prompt.text
