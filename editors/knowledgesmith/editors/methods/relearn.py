"""ReLearn: learn something else in place of a fact, with low-rank adapters (Xu et al. 2025, arXiv 2502.11190).

    L = w_task · KL(q_target ‖ p_θ) on the questions          (cross-entropy when q_target is one text)
      + w_ce · CE(retained answers that the model knows)
      + w_kl · KL(p_θ0 ‖ p_θ) on retained answers and plain text

The three terms are those of the authors' released setting (forget CE + retain CE + retain KL). Ours, and not theirs:

- weights, learning rate (16 to 160 times theirs), rank, and adapters on the lower MLPs only (see the configuration);
- the teacher q_target may be a new object or the graph-neutral distribution, and not only a vague answer;
- training texts come from ``augment``, not from a hosted model; none of them holds the forgotten object;
- KL also on plain sentences and on the questions about sibling subjects; half of a row's loss on its first token;
- KL counts the reference's 64 most likely tokens and the rest as one bucket, in the direction KL(p_θ0 ‖ p_θ).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import torch
from pydantic import Field

from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.contract import (
    AuthorValue,
    Family,
    KeyStatistics,
    MethodConfig,
    ObjectiveRow,
    Progress,
)
from knowledgesmith.editors.models.precision import ComputeDtype, frozen_dtype, name_of
from knowledgesmith.editors.objective.divergence import Targets, divergence
from knowledgesmith.editors.objective.passes import answer_logits
from knowledgesmith.editors.objective.rows import answer_batch, buckets
from knowledgesmith.editors.requests import UpdateRequest
from knowledgesmith.editors.text.sentences import everyday_text
from knowledgesmith.editors.train.lessons import (
    Lesson,
    Mixture,
    lessons_to_keep,
    lessons_to_learn,
    siblings_to_keep,
    text_to_keep,
)
from knowledgesmith.editors.train.lora import Adapters, adaptable, adapted, computing_in
from knowledgesmith.editors.train.masters import LossScale
from knowledgesmith.graph_schema.errors import EditDiverged, NothingToChange
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.models.loaded import LoadedModel

_CLIP = 1.0
_TEXTS = 64
_FLOOR = 0.05


_TOFU, _KNOWUNDO = "released TOFU setting", "released KnowUnDo setting"
_BOTH = "Xu et al. 2025, released settings"


class ReLearnConfig(MethodConfig):
    """Settings; every default is ours (:attr:`author_values` has the authors').

    The authors train all linear maps of 7B models gently. A model of 135M parameters moves too little with that. Ours
    were chosen on one, with facts that were later reported on: adapters on all layers, or on the upper ones, learn
    "this relation is vague" (same-relation facts fell to 37 to 59 %), adapters on the lower MLPs with a rank near the
    number of facts learn it for the subject (74 to 82 %); sibling subjects and plain text are kept because untouched
    subjects and fluency suffer first.
    """

    author_values: ClassVar[Mapping[str, AuthorValue]] = MappingProxyType(
        {
            "rank": AuthorValue(value="32", source=_BOTH),
            "alpha": AuthorValue(value="32", source=_BOTH, note="with dropout 0.05, which this engine lacks"),
            "adapted_maps": AuthorValue(value="all linear maps", source=_BOTH),
            "last_layer": AuthorValue(value="the last block", source=_BOTH),
            "learning_rate": AuthorValue(value="1e-4; 1e-5", source=f"{_TOFU}; {_KNOWUNDO}"),
            "warmup": AuthorValue(value="one epoch", source=_BOTH, note="theirs counts epochs"),
            "passes": AuthorValue(value="2; 4", source=f"{_TOFU}; {_KNOWUNDO}"),
            "learn_rows": AuthorValue(value="2 x 4; 1 x 4", source=f"{_TOFU}; {_KNOWUNDO}", note="rows x accumulation"),
            "task_weight": AuthorValue(value="1", source=_BOTH),
            "keep_ce_weight": AuthorValue(value="1", source=_BOTH),
            "keep_kl_weight": AuthorValue(value="1", source=_BOTH),
            "text_kl_weight": AuthorValue(value="0", source=_BOTH, note="they mix in questions on general knowledge"),
            "keep_siblings": AuthorValue(value="False", source=_BOTH),
            "first_token_share": AuthorValue(value="0", source=_BOTH, note="mean over all tokens"),
            "variants": AuthorValue(value="4", source=_BOTH, note="written by a hosted model"),
            "completion_share": AuthorValue(value="1", source=_BOTH, note="a copy of each answer from 25 % on"),
            "compute_dtype": AuthorValue(value="bfloat16", source=_BOTH),
        }
    )

    rank: int = Field(default=48, ge=1, le=512)
    alpha: float = Field(default=48.0, gt=0, description="the added term is scaled by alpha / rank")
    adapted_maps: tuple[str, ...] = Field(
        default=("mlp",), description="mlp, or last names of linear maps; empty is all"
    )
    first_layer: int = Field(default=0, ge=0)
    last_layer: int | None = Field(
        default=None, ge=-1, description="-1 is the last block, None the end of the lower 43 %"
    )
    learning_rate: float = Field(default=1.6e-3, gt=0, lt=1)
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of the steps")
    passes: float = Field(default=7.0, gt=0, description="times each question is asked")
    min_steps: int = Field(default=36, ge=1)
    max_steps: int = Field(default=2000, ge=1)
    learn_rows: int = Field(default=16, ge=1, description="questions a step")
    keep_rows: int = Field(default=32, ge=0, description="retained facts a step")
    known_share: float = Field(
        default=0.5, ge=0, le=1, description="share of keep_rows drawn from answers that the untouched model gives"
    )
    keep_siblings: bool = Field(default=True, description="also keep the first question about the sibling subjects")
    text_rows: int = Field(default=4, ge=0, description="plain sentences a step")
    micro_rows: int = Field(
        default=32, ge=1, description="rows a forward pass; no influence on the result but rounding"
    )
    task_weight: float = Field(default=1.5, gt=0)
    keep_ce_weight: float = Field(default=0.5, ge=0)
    keep_kl_weight: float = Field(default=1.5, ge=0)
    text_kl_weight: float = Field(default=2.0, ge=0)
    first_token_share: float = Field(
        default=0.5, ge=0, le=1, description="share of a task row's loss on its first token"
    )
    variants: int = Field(default=1, ge=0, le=32, description="noisy or contextual questions added to each fact")
    refusal_share: float = Field(default=0.0, ge=0, le=1)
    completion_share: float = Field(default=0.0, ge=0, le=1)
    compute_dtype: ComputeDtype = Field(
        default="auto",
        description="dtype of the frozen weights while training; adapters stay float32; auto: the one that the service "
        "measured to be fastest on its device, and the model's own where nobody measured",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weighted:
    """A lesson with its share of the step's loss."""

    lesson: Lesson
    kl: float
    ce: float = 0.0
    lead: float = 0.0


class ReLearn:
    """Overwrites a fact with vague answers, a neutral distribution or a new object while retained answers stay."""

    name: ClassVar[str] = "relearn"
    family: ClassVar[Family] = Family.WEIGHTS
    objective: ClassVar[ObjectiveRow] = ObjectiveRow(
        task_loss="KL(q_target ‖ p), cross-entropy for vague answers and new objects",
        preservation="CE on retained answers + KL(p_0 ‖ p) on retained answers and plain text",
        regulariser="rank <= r",
        operator="AdamW on low-rank adapters",
        source="Xu et al. 2025, arXiv 2502.11190",
    )
    accepts: ClassVar[frozenset[tuple[Goal, TargetDistribution]]] = frozenset(
        {
            (Goal.EDIT, TargetDistribution.NEW_OBJECT),
            (Goal.UNLEARN, TargetDistribution.NEUTRAL_GRAPH),
            (Goal.UNLEARN, TargetDistribution.VAGUE),
        }
    )
    config_type: ClassVar[type[MethodConfig]] = ReLearnConfig

    def __init__(self, config: MethodConfig) -> None:
        self.config = cast("ReLearnConfig", config)

    def apply(
        self, model: LoadedModel, request: UpdateRequest, statistics: KeyStatistics, progress: Progress
    ) -> Weights:
        """Train the adapters and return them as low-rank changes; ``model`` is bit-identical afterwards.

        Raises:
            NothingToChange: the request holds no update.
            EditDiverged: the loss or an adapter is not finite.
            InvalidInput: a layer does not exist, or every phrasing of a fact states its object.
            UnsupportedArchitecture: no linear map is called as configured.
            Cancelled: raised by ``progress``.
        """
        del statistics
        if not request.updates:
            raise NothingToChange("the request holds no update", field="updates")
        request = request.canonical()
        config = self.config
        maps = adaptable(model, first_layer=config.first_layer, last_layer=config.last_layer, maps=config.adapted_maps)
        progress.step("relearn:prepare", 0, 1)
        dtype = frozen_dtype(config.compute_dtype)
        generator = torch.Generator().manual_seed(request.seed)
        with computing_in(model.model, dtype):
            course = _Course(model, request, config)
            with adapted(maps, rank=config.rank, alpha=config.alpha, generator=generator) as adapters:
                _train(model, adapters, course, config, progress)
                deltas = adapters.as_deltas()
        return Weights(
            deltas=deltas,
            metadata={
                "method": self.name,
                "goal": request.goal.value,
                "target_distribution": request.target_distribution.value,
                "compute_dtype": name_of(dtype or model.model.dtype),
            },
        )


class _Course:
    """All lessons of a request, dealt out in seeded shuffles without repetition within a pass."""

    def __init__(self, model: LoadedModel, request: UpdateRequest, config: ReLearnConfig) -> None:
        mixture = Mixture(
            variants=config.variants,
            refusal_share=config.refusal_share,
            completion_share=config.completion_share,
        )
        text = sorted(filter(request.permits, {*everyday_text(), *request.statistics_text}))
        self._rng = random.Random(request.seed)  # noqa: S311  # not for secrets
        self._config = config
        self._learn = lessons_to_learn(model, request, mixture)
        kept = lessons_to_keep(model, request.retain) if config.keep_rows else []
        if config.keep_rows and config.keep_siblings:
            kept += siblings_to_keep(model, request.updates)
        self._known = [lesson for lesson in kept if lesson.known]
        self._unknown = [lesson for lesson in kept if not lesson.known]
        self._text = text_to_keep(model, self._rng.sample(text, min(_TEXTS, len(text)))) if config.text_rows else []
        self.steps = min(
            config.max_steps,
            max(config.min_steps, math.ceil(config.passes * len(self._learn) / config.learn_rows)),
        )

    def deal(self) -> Iterator[list[_Weighted]]:
        """The weighted lessons of each step."""
        config = self._config
        learn = self._cycle(len(self._learn))
        known, unknown = self._cycle(len(self._known)), self._cycle(len(self._unknown))
        text = self._cycle(len(self._text))
        known_rows = round(config.keep_rows * config.known_share) if self._unknown else config.keep_rows
        for _ in range(self.steps):
            asked = [self._alternative(self._learn[i]) for i in islice(learn, config.learn_rows)]
            sure = [self._known[i] for i in islice(known, known_rows)]
            kept = sure + [self._unknown[i] for i in islice(unknown, config.keep_rows - len(sure))]
            read = [self._text[i] for i in islice(text, config.text_rows)]
            yield [
                *(
                    _Weighted(lesson=x, kl=config.task_weight / len(asked), lead=config.first_token_share)
                    for x in asked
                ),
                *(
                    _Weighted(
                        lesson=x,
                        kl=config.keep_kl_weight / len(kept),
                        ce=config.keep_ce_weight * x.known / max(1, len(sure)),
                    )
                    for x in kept
                ),
                *(_Weighted(lesson=x, kl=config.text_kl_weight / len(read)) for x in read),
            ]

    def _cycle(self, count: int) -> Iterator[int]:
        while count:
            order = list(range(count))
            self._rng.shuffle(order)
            yield from order

    def _alternative(self, lessons: Sequence[Lesson]) -> Lesson:
        weights = [lesson.weight for lesson in lessons]
        if not math.isfinite(sum(weights)):
            raise EditDiverged(
                "the neutral distribution is not finite", field="weights", hint="Check the model's own weights."
            )
        return self._rng.choices(lessons, weights=weights)[0]


def _train(model: LoadedModel, adapters: Adapters, course: _Course, config: ReLearnConfig, progress: Progress) -> None:
    """AdamW with a linear warm-up and decay; gradients are taken for the adapters only."""
    factors = adapters.parameters()
    optimiser = torch.optim.AdamW(factors, lr=config.learning_rate, weight_decay=0.0)
    scale = LossScale.of(model.model.dtype)
    for step, lessons in enumerate(course.deal()):
        progress.step("relearn", step, course.steps)
        optimiser.param_groups[0]["lr"] = config.learning_rate * _pace(step, course.steps, config.warmup)
        for factor in factors:
            factor.grad = torch.zeros_like(factor)
        for part in _parts(lessons, config.micro_rows):
            loss = _loss(model, part)
            if not bool(torch.isfinite(loss)):
                raise EditDiverged(
                    "the training loss is not finite",
                    field="step",
                    value=step,
                    hint="Lower method_config.learning_rate.",
                )
            for factor, gradient in zip(factors, torch.autograd.grad(loss * scale.value, factors), strict=True):
                cast("Tensor", factor.grad).add_(gradient)
        if scale.undo([cast("Tensor", factor.grad) for factor in factors]):
            torch.nn.utils.clip_grad_norm_(factors, _CLIP)
            optimiser.step()
    progress.step("relearn", course.steps, course.steps)


def _pace(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate: rises over the warm-up, then falls linearly to a twentieth."""
    rise = max(1, int(warmup * steps))
    return min((step + 1) / rise, max(_FLOOR, (steps - step) / (steps - rise + 1)))


def _parts(lessons: Sequence[_Weighted], size: int) -> Iterator[list[_Weighted]]:
    for chosen in buckets([item.lesson.row for item in lessons], size=size):
        yield [lessons[i] for i in chosen]


def _loss(model: LoadedModel, part: Sequence[_Weighted]) -> Tensor:
    """The part's share of the step's loss. shape: ()."""
    batch = answer_batch([item.lesson.row for item in part], device=model.device)
    logits = answer_logits(model.model, batch)
    targets = Targets.join([item.lesson.targets for item in part]).to(model.device)
    kl, ce = (_token_weights(part, kind).to(model.device) for kind in ("kl", "ce"))
    loss = (kl * divergence(logits, targets)).sum()
    if bool(ce.any()):
        loss = loss + (ce * divergence(logits, Targets.one_hot(batch.answers))).sum()
    return loss


def _token_weights(part: Sequence[_Weighted], kind: Literal["kl", "ce"]) -> Tensor:
    """The weight of each answer token: a row's weight, ``lead`` of it on the first token. shape: (N,)."""
    weights: list[float] = []
    for item in part:
        count, total = len(item.lesson.row.answer), item.kl if kind == "kl" else item.ce
        share = total * (1 - item.lead) / count
        weights += [share + total * item.lead, *([share] * (count - 1))]
    return torch.tensor(weights)
