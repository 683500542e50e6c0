"""The one training loop: rows with their shares of a loss, in micro-batches that fit, down to the tensors trained.

What is trained is whatever the masters hold: parameters, low-rank factors, or any other leaf that the forward pass
reads (singular values, activations). Gradients are summed in a fixed order, so the same rows give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

import torch

from knowledgesmith.editors.objective.divergence import Targets, divergence, per_row
from knowledgesmith.editors.objective.rows import AnswerBatch, Row, answer_batch
from knowledgesmith.editors.train.masters import Masters
from knowledgesmith.editors.train.stops import Seen, StopRule
from knowledgesmith.editors.train.weighted import (
    WeightedRow,
    joined_targets,
    micro_batches,
    padded_tokens,
    token_weights,
)
from knowledgesmith.graph_schema.errors import DeviceOutOfMemory, EditDiverged

if TYPE_CHECKING:
    from torch import Tensor

    from knowledgesmith.editors.contract import Progress

MICRO_TOKENS: Final = 1024
"""Padded tokens of a forward pass by default: where a processor is busy; a large GPU takes more."""

_FLOOR: Final = 0.05

Forward: TypeAlias = "Callable[[Sequence[Row], AnswerBatch], Tensor]"
"""Logits that predict the answer tokens of rows, of which the batch was made. shape: (N, V)."""

Pace: TypeAlias = Callable[[int], float]
"""Factor of the learning rate at a step, counted from 0."""


def steady(_step: int) -> float:
    """The whole learning rate at every step."""
    return 1.0


def warmed(steps: int, warmup: float) -> Pace:
    """Rises over ``warmup`` (a share of ``steps``), then falls linearly to a twentieth."""
    rise = max(1, int(warmup * steps))

    def pace(step: int) -> float:
        return min((step + 1) / rise, max(_FLOOR, (steps - step) / (steps - rise + 1)))

    return pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a course is run.

    Attributes:
        phase: what progress calls it.
        steps: most steps.
        pace: of the learning rate.
        stops: rules that end it earlier.
        micro_tokens: most padded tokens of a forward and backward pass; no influence on the result but rounding.
    """

    phase: str
    steps: int
    pace: Pace = steady
    stops: Sequence[StopRule] = ()
    micro_tokens: int = MICRO_TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """How a training went.

    Attributes:
        steps: steps taken.
        ended: name of the rule that ended it, or ``steps``.
        micro_tokens: padded tokens of a pass at the end.
        halvings: how often the device had no memory for a pass.
    """

    steps: int
    ended: str
    micro_tokens: int
    halvings: int

    def metadata(self) -> dict[str, str]:
        """For the artefact: how long it took, and what the device had no memory for."""
        told = {"steps": str(self.steps), "ended": self.ended}
        if self.halvings:
            told |= {"micro_tokens": str(self.micro_tokens), "out_of_memory": str(self.halvings)}
        return told


def train(
    forward: Forward,
    masters: Masters,
    course: Iterable[Sequence[WeightedRow]],
    training: Training,
    *,
    device: torch.device,
    progress: Progress,
) -> Trained:
    """Run a course: one step for each of its lists of rows, until it ends, a rule is met or the steps are used up.

    Args:
        forward: from rows to logits, through the tensors trained.
        masters: the tensors trained and their optimiser.
        course: the rows of each step; made as they are asked for.
        training: how it is run.
        device: where the batches are made.
        progress: told of every step before it begins, and of the end.

    Raises:
        EditDiverged: the loss or a gradient is not finite.
        DeviceOutOfMemory: not even one row fits, or the optimiser does not.
        Cancelled: raised by ``progress``.
    """
    passes = _Passes(forward, masters, training.micro_tokens, device)
    taken, ended = 0, "steps"
    for step, rows in enumerate(islice(course, training.steps)):
        progress.step(training.phase, step, training.steps)
        seen = passes.gradients(rows)
        _apply(masters, training.pace(step))
        taken += 1
        # every rule follows every step
        met = [rule.name for rule in training.stops if rule.met(seen)]
        if met:
            ended = met[0]
            break
    progress.step(training.phase, training.steps, training.steps)
    return Trained(steps=taken, ended=ended, micro_tokens=passes.tokens, halvings=passes.halvings)


class _Passes:
    """Gradients of steps, part by part, and the size of a part that the device has memory for."""

    def __init__(self, forward: Forward, masters: Masters, tokens: int, device: torch.device) -> None:
        self._forward = forward
        self._masters = masters
        self._device = device
        self.tokens = tokens
        self.halvings = 0

    def gradients(self, rows: Sequence[WeightedRow]) -> Seen:
        """Add the gradients of one step's rows to the masters."""
        pending = micro_batches(rows, self.tokens)
        total, learning = 0.0, False
        while pending:
            seen = self._tried(pending[0])
            if seen is None:
                self._halve(pending[0])
                pending = micro_batches([item for part in pending for item in part], self.tokens)
                continue
            total += seen.loss
            learning |= seen.learning
            del pending[0]
        return Seen(loss=total, learning=learning)

    def _tried(self, part: Sequence[WeightedRow]) -> Seen | None:
        """The part's share of the step; ``None``, and nothing added, when the device had no memory for it."""
        try:
            loss, learning = part_loss(self._forward, part, device=self._device)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise EditDiverged(
                    "the training loss is not finite",
                    field="learning_rate",
                    value=self._masters.learning_rate,
                    hint="Lower method_config.learning_rate; check that the model's own weights are finite.",
                )
            self._masters.add(loss)
        except torch.OutOfMemoryError:
            return None
        return Seen(loss=value, learning=learning)

    def _halve(self, part: Sequence[WeightedRow]) -> None:
        """Half of what did not fit. Called when nothing holds the failed pass any more."""
        if len(part) == 1:
            raise _no_memory("not even one training row fits on the device", padded_tokens(part))
        self.halvings += 1
        self.tokens = padded_tokens(part) // 2
        if self._device.type == "cuda":  # device: cuda
            torch.cuda.empty_cache()


def part_loss(forward: Forward, part: Sequence[WeightedRow], *, device: torch.device) -> tuple[Tensor, bool]:
    """A part's share of the step's loss, and whether one of its rows is above its margin. shape: ()."""
    rows = [item.row for item in part]
    batch = answer_batch(rows, device=device)
    logits = forward(rows, batch)
    losses = divergence(logits, joined_targets(part, device))
    kl = token_weights(part, "kl").to(losses)
    learning = False
    if any(item.margin is not None for item in part):
        above = _above_margins(part, per_row(losses.detach(), batch.row, len(part)))
        learning = bool((above & _with_margin(part).to(above.device)).any())
        # a row that is good enough no longer pushes
        kl = kl * above[batch.row]
    loss = (kl * losses).sum()
    if any(item.ce for item in part):
        ce = token_weights(part, "ce").to(losses)
        loss = loss + (ce * divergence(logits, Targets.one_hot(batch.answers))).sum()
    return loss, learning


def _above_margins(part: Sequence[WeightedRow], losses: Tensor) -> Tensor:
    """Which rows push. shapes: (B,) -> (B,), bool."""
    margins = [-math.inf if item.margin is None else item.margin for item in part]
    return losses > torch.tensor(margins, dtype=torch.float64).to(losses)


def _with_margin(part: Sequence[WeightedRow]) -> Tensor:
    return torch.tensor([item.margin is not None for item in part])


def _apply(masters: Masters, pace: float) -> None:
    try:
        masters.apply(pace=pace)
    except torch.OutOfMemoryError as error:
        raise _no_memory("the optimiser's state does not fit on the device", len(masters.values)) from error


def _no_memory(message: str, value: int) -> DeviceOutOfMemory:
    return DeviceOutOfMemory(
        message, field="device", value=value, hint="Train fewer or smaller matrices, or use a larger device."
    )
