"""Low-rank fine-tuning: what a practitioner does first, and the baseline that the others are compared with.

    L = mean over questions of KL(q_target ‖ p_θ)  [+ w · KL(p_θ0 ‖ p_θ) on retained answers]

KL to a text is its cross-entropy. The adapters are those of Hu et al. 2022 (arXiv 2106.09685). By default nothing is
preserved: the study that this project follows calls the method its most unstable one (accuracy on what was asked 12.5 %
after a thousand edits), and a baseline that were helped would not tell whether that is so. A weight on the second term
is the smallest remedy.

Only targets that are distributions are accepted, so the loss has a lower bound. Gradient ascent on the old object has
none and is no target of this method.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, cast

from pydantic import Field

from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.contract import (
    AuthorValue,
    Family,
    KeyStatistics,
    MethodConfig,
    ObjectiveRow,
    Progress,
    Recipe,
)
from knowledgesmith.editors.models.precision import ComputeDtype, frozen_dtype, name_of
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.train.dealing import endless, one_pass
from knowledgesmith.editors.train.lessons import Lesson, Mixture, lessons_to_keep, lessons_to_learn
from knowledgesmith.editors.train.loop import MICRO_TOKENS, Training
from knowledgesmith.editors.train.lora import adaptable
from knowledgesmith.editors.train.low_rank import AdapterSettings, train_adapters
from knowledgesmith.editors.train.stops import Learned, Stalled, StopRule
from knowledgesmith.editors.train.weighted import WeightedRow, shares
from knowledgesmith.graph_schema.errors import NothingToChange
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

_EASYEDIT = "EasyEdit, released LoRA settings for Llama"
_STALL_SHARE = 0.01


class LoraFineTuneConfig(MethodConfig):
    """Settings; rank and scale are the published ones, learning rate and passes were tried on the default model."""

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            "rank": AuthorValue(value="8", source=_EASYEDIT),
            "alpha": AuthorValue(value="32", source=_EASYEDIT),
            "dropout": AuthorValue(value="0.1", source=_EASYEDIT),
            "adapted_maps": AuthorValue(value="q_proj, v_proj", source=_EASYEDIT),
            "learning_rate": AuthorValue(value="5e-3", source=_EASYEDIT),
            "epochs": AuthorValue(value="70", source=_EASYEDIT, note="steps on one edit; 30 to 60 on other models"),
            "margin": AuthorValue(value="0", source=_EASYEDIT, note="no early stop"),
            "retain_weight": AuthorValue(value="0", source=_EASYEDIT),
        }
    )
    recipes: ClassVar[Mapping[str, Recipe]] = MappingProxyType(
        {
            "easyedit": Recipe(
                settings={
                    "rank": 8,
                    "alpha": 32.0,
                    "dropout": 0.1,
                    "adapted_maps": ("q_proj", "v_proj"),
                    "learning_rate": 5e-3,
                    "epochs": 70,
                    "batch": 0,
                    "phrasings": 1,
                },
                source=_EASYEDIT,
                differs="All facts of the request stand in every step; theirs come one by one or in batches.",
            )
        }
    )

    rank: int = Field(default=8, ge=1, le=512)
    alpha: float = Field(default=32.0, gt=0, description="the added term is scaled by alpha / rank")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of an adapter's inputs that is left out")
    adapted_maps: tuple[str, ...] = Field(
        default=("attention",), description="mlp, attention, or last names of linear maps; empty is all"
    )
    first_layer: int = Field(default=0, ge=0)
    last_layer: int = Field(default=-1, ge=-1, description="-1 is the last block")
    learning_rate: float = Field(default=3e-3, gt=0, lt=1, description="Adam's, the same at every step")
    epochs: int = Field(default=30, ge=1, le=1000, description="most visits of each question")
    batch: int = Field(default=20, ge=0, description="questions a step; 0 is all")
    phrasings: int = Field(default=0, ge=0, description="first training phrasings of a fact that are asked; 0 is all")
    margin: float = Field(
        default=0.0,
        ge=0,
        description="nats below which a row no longer pushes; all below it end the training; 0 is off",
    )
    patience: int = Field(
        default=0, ge=0, description="passes without a fall of the loss by 1 % after which training ends; 0 is off"
    )
    retain_weight: float = Field(default=0.0, ge=0, description="factor of the mean KL of retained rows")
    retained: float = Field(default=1.0, ge=0, description="retained rows per question, where they have a weight")
    micro_tokens: int = Field(
        default=MICRO_TOKENS, ge=1, description="padded tokens of a forward pass; no influence but rounding"
    )
    compute_dtype: ComputeDtype = Field(
        default="auto",
        description="dtype of the frozen weights while training; adapters stay float32; auto: the one that the service "
        "measured to be fastest on its device, and the model's own where nobody measured",
    )


class LoraFineTune:
    """Plain fine-tuning of low-rank adapters on the task rows."""

    name: ClassVar[str] = "lora"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p) on answer tokens, cross-entropy where q_target is one text",
        preservation="none by default; optional KL(p_0 ‖ p) on retained answers",
        regulariser="rank <= r",
        operator="Adam on low-rank adapters",
        source="Hu et al. 2022, arXiv 2106.09685; editing settings of EasyEdit",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = frozenset(
        {
            (Goal.EDIT, TargetDistribution.NEW_OBJECT),
            (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH),
            (Goal.UNLEARN, TargetDistribution.NEUTRAL_MASK),
            (Goal.UNLEARN, TargetDistribution.UNIFORM),
            (Goal.UNLEARN, TargetDistribution.REFUSAL),
            (Goal.UNLEARN, TargetDistribution.VAGUE),
        }
    )
    config_type: ClassVar[type[MethodConfig]] = LoraFineTuneConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("LoraFineTuneConfig", config)

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Train the adapters and return them as low-rank changes; ``model`` is bit-identical afterwards.

        Raises:
            NothingToChange: the request holds no update.
            EditDiverged: the loss, a gradient or an adapter is not finite.
            InvalidInput: a layer does not exist, or every phrasing of a fact states its object.
            UnsupportedArchitecture: no linear map is called as configured.
            DeviceOutOfMemory: the device has no room for one row.
            Cancelled: raised by ``progress``.
        """
        del statistics
        if not request.updates:
            raise NothingToChange("the request holds no update", field="updates")
        request, config = request.canonical(), self.config
        maps = adaptable(model, first_layer=config.first_layer, last_layer=config.last_layer, maps=config.adapted_maps)
        progress.step("lora:prepare", 0, 1)
        dtype = frozen_dtype(config.compute_dtype)
        settings = AdapterSettings(
            rank=config.rank,
            alpha=config.alpha,
            dropout=config.dropout,
            first_layer=config.first_layer,
            learning_rate=config.learning_rate,
            seed=request.seed,
        )
        with computing_in(model.model, dtype):
            course = Course(model, request, config)
            deltas, trained = train_adapters(
                model, maps, course.deal(), course.training(), settings=settings, progress=progress
            )
        return Weights(
            deltas=deltas,
            metadata={
                **config.told(),
                **trained.metadata(),
                "method": self.name,
                "goal": request.goal.value,
                "target_distribution": request.target_distribution.value,
                "compute_dtype": name_of(dtype or model.model.dtype),
            },
        )


class Course:
    """The questions of a request, all once a pass, and the retained rows beside them."""

    def __init__(self, model: LoadedModel, request: UpdateRequest, config: LoraFineTuneConfig) -> None:
        refusing = float(request.target_distribution is TargetDistribution.REFUSAL)
        mixture = Mixture(variants=0, refusal_share=refusing, completion_share=0.0)
        self._rng = Random(request.seed)  # noqa: S311  # not for secrets
        self._config = config
        self._learn = lessons_to_learn(model, _first_phrasings(request, config.phrasings), mixture)
        self._keep = lessons_to_keep(model, request.retain) if config.retain_weight and config.retained else []
        self._batch = config.batch or len(self._learn)
        self._batches = math.ceil(len(self._learn) / self._batch)

    def training(self) -> Training:
        """How the course is run."""
        config = self._config
        stops: list[StopRule] = []
        if config.margin:
            stops.append(Learned(steps=self._batches))
        if config.patience:
            stops.append(Stalled(steps=self._batches, passes=config.patience, share=_STALL_SHARE))
        return Training(
            phase="lora", steps=config.epochs * self._batches, stops=stops, micro_tokens=config.micro_tokens
        )

    def deal(self) -> Iterator[list[WeightedRow]]:
        """The rows of each step."""
        config = self._config
        keep = endless(len(self._keep), self._rng)
        for _ in range(config.epochs):
            for chosen in one_pass(len(self._learn), self._batch, self._rng):
                kept = [self._keep[i] for i in islice(keep, round(config.retained * len(chosen)))]
                yield [*self._asked(chosen), *_preserved(kept, config.retain_weight)]

    def _asked(self, chosen: Sequence[int]) -> list[WeightedRow]:
        """Each question alike, its alternative answers by their weights."""
        margin = self._config.margin or None
        return [
            WeightedRow(row=one.row, targets=one.targets, kl=one.weight / len(chosen), margin=margin)
            for index in chosen
            for one in self._learn[index]
        ]


def _first_phrasings(request: UpdateRequest, limit: int) -> UpdateRequest:
    if not limit:
        return request
    return replace(request, updates=tuple(replace(u, prompts=u.prompts[:limit]) for u in request.updates))


def _preserved(lessons: Sequence[Lesson], weight: float) -> list[WeightedRow]:
    parts = shares([lesson.row for lesson in lessons], weight, "row")
    return [
        WeightedRow(row=lesson.row, targets=lesson.targets, kl=part)
        for lesson, part in zip(lessons, parts, strict=True)
    ]
