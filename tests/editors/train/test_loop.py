"""The training loop: whatever is trained, in parts that fit, to the same numbers, and with its end told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from knowledgesmith.editors.objective.divergence import Targets
from knowledgesmith.editors.objective.rows import AnswerBatch, Row
from knowledgesmith.editors.surgery.borrowing import borrowed
from knowledgesmith.editors.surgery.hooks import add_to_output
from knowledgesmith.editors.testing.rehearsal import Recorder
from knowledgesmith.editors.testing.tiny import tiny_llama
from knowledgesmith.editors.train.loop import Forward, Trained, Training, part_loss, steady, train, warmed
from knowledgesmith.editors.train.lower import LowerCache
from knowledgesmith.editors.train.masters import Masters
from knowledgesmith.editors.train.stops import Learned, Seen, Stalled, StopRule
from knowledgesmith.editors.train.weighted import (
    WeightedRow,
    micro_batches,
    padded_tokens,
    shares,
    token_weights,
)
from knowledgesmith.graph_schema.errors import Cancelled, DeviceOutOfMemory, EditDiverged

if TYPE_CHECKING:
    from knowledgesmith.editors.models.loaded import LoadedModel

HERE = torch.device("cpu")
LENGTHS = [(3, 1), (9, 2), (4, 3), (4, 3), (6, 1), (14, 2)]


def weighted(prompt: int, answer: int, *, first: int = 3, **members: float | None) -> WeightedRow:
    tokens = tuple(range(first, first + prompt + answer))
    targets = Targets.one_hot(torch.tensor(tokens[prompt:]))
    settings: dict[str, float | None] = {"kl": 0.5, **members}
    return WeightedRow(row=Row(prompt=tokens[:prompt], answer=tokens[prompt:]), targets=targets, **settings)  # type: ignore[arg-type]  # factors or a margin


ROWS = [weighted(*sizes, first=3 + n) for n, sizes in enumerate(LENGTHS)]
ROWS[1] = replace(ROWS[1], ce=0.7)
ROWS[2] = replace(ROWS[2], lead=0.5)


def course(rows: Sequence[WeightedRow], steps: int) -> Iterator[Sequence[WeightedRow]]:
    for _ in range(steps):
        yield rows


def trained_matrix(
    loaded: LoadedModel,
    *,
    tokens: int = 1024,
    wrap: Callable[[Forward], Forward] = lambda forward: forward,
    rows: Sequence[WeightedRow] = ROWS,
    steps: int = 3,
    stops: Sequence[StopRule] = (),
    progress: Recorder | None = None,
) -> tuple[torch.Tensor, Trained]:
    """A down projection after a few steps."""
    name = loaded.architecture.down_projection(1).parameter_name
    with borrowed(loaded.model, [name], trainable=True) as parameters, torch.enable_grad():
        masters = Masters(list(parameters.values()), learning_rate=1e-2)
        training = Training(phase="try", steps=steps, micro_tokens=tokens, stops=stops)
        told = train(
            wrap(LowerCache(loaded, 1)),
            masters,
            course(rows, steps),
            training,
            device=loaded.device,
            progress=progress or Recorder(),
        )
        return masters.values[0].detach().clone(), told


@pytest.mark.parametrize("tokens", [1, 12, 16, 30, 1000])
def test_parts_hold_every_row_once_and_fit(tokens: int) -> None:
    parts = micro_batches(ROWS, tokens)
    assert sorted(id(item) for part in parts for item in part) == sorted(map(id, ROWS))
    assert all(len(part) == 1 or padded_tokens(part) <= tokens for part in parts)
    assert [item.length for part in parts for item in part] == sorted(item.length for item in ROWS)
    assert (len(parts) == 1) == (tokens == 1000)


def test_equally_long_rows_keep_their_order() -> None:
    twins = [weighted(4, 3, first=first) for first in (9, 3, 7)]
    assert [item.row.prompt[0] for part in micro_batches(twins, 1) for item in part] == [9, 3, 7]


def test_a_mean_counts_rows_or_tokens_alike() -> None:
    rows = [item.row for item in ROWS]
    by_row, by_token = shares(rows, 3.0, "row"), shares(rows, 3.0, "token")
    assert by_row == [0.5] * 6
    assert sum(by_token) == pytest.approx(3.0)
    per_token = [share / len(row.answer) for share, row in zip(by_token, rows, strict=True)]
    assert per_token == pytest.approx([0.25] * 6)
    assert shares([], 3.0, "row") == shares([], 3.0, "token") == []


def test_a_share_of_a_row_lies_on_its_first_token() -> None:
    assert token_weights([weighted(2, 4, kl=1.0, lead=0.5)], "kl").tolist() == [0.625, 0.125, 0.125, 0.125]
    assert token_weights([weighted(2, 2, kl=1.0, ce=4.0, lead=0.5)], "ce").tolist() == [2.0, 2.0]


def test_a_loss_is_what_it_says() -> None:
    loaded = tiny_llama(dtype=torch.float64)
    found, learning = part_loss(LowerCache(loaded, 0), ROWS, device=HERE)
    assert not learning
    wanted = 0.0
    for item in ROWS:
        ids = torch.tensor([[*item.row.prompt, *item.row.answer]])
        logp = loaded.model(input_ids=ids).logits[0].log_softmax(-1)
        at = range(len(item.row.prompt) - 1, ids.shape[1] - 1)
        losses = [-float(logp[place, ids[0, place + 1]]) for place in at]
        mean = sum(losses) / len(losses)
        wanted += item.kl * ((1 - item.lead) * mean + item.lead * losses[0]) + item.ce * mean
    assert float(found.detach()) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("tokens", [1, 20])
def test_the_size_of_a_part_has_no_influence(tokens: int) -> None:
    whole, _ = trained_matrix(tiny_llama(dtype=torch.float64))
    parts, told = trained_matrix(tiny_llama(dtype=torch.float64), tokens=tokens)
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-9)
    assert parts.dtype == torch.float64
    assert told.metadata() == {"steps": "3", "ended": "steps"}


def cramped(room: int, calls: list[int]) -> Callable[[Forward], Forward]:
    """A device with memory for so many padded tokens."""

    def wrap(forward: Forward) -> Forward:
        def run(rows: Sequence[Row], batch: AnswerBatch) -> torch.Tensor:
            calls.append(batch.ids.numel())
            if batch.ids.numel() > room:
                raise torch.OutOfMemoryError
            return forward(rows, batch)

        return run

    return wrap


def test_a_device_out_of_memory_gets_smaller_parts_and_the_same_numbers() -> None:
    whole, _ = trained_matrix(tiny_llama(dtype=torch.float64))
    calls: list[int] = []
    parts, told = trained_matrix(tiny_llama(dtype=torch.float64), wrap=cramped(20, calls))
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-9)
    assert told.halvings >= 2
    assert told.micro_tokens <= 20
    assert told.metadata()["out_of_memory"] == str(told.halvings)
    assert told.metadata()["micro_tokens"] == str(told.micro_tokens)
    tried = [size for size in calls if size > 20]
    assert len(tried) == told.halvings, "what did not fit once is not tried again"


def test_a_row_that_does_not_fit_alone_is_named() -> None:
    loaded = tiny_llama()
    with pytest.raises(DeviceOutOfMemory, match="one training row") as caught:
        trained_matrix(loaded, wrap=cramped(10, []))
    assert caught.value.field == "device"
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_names_the_learning_rate(broken: float) -> None:
    def wrap(forward: Forward) -> Forward:
        return lambda rows, batch: forward(rows, batch) * broken

    with pytest.raises(EditDiverged, match="not finite") as caught:
        trained_matrix(tiny_llama(), wrap=wrap)
    assert caught.value.field == "learning_rate"
    assert caught.value.value == "0.01"


def test_progress_is_told_of_every_step_and_may_end_it() -> None:
    progress = Recorder()
    trained_matrix(tiny_llama(), progress=progress)
    assert progress.calls == [("try", step, 3) for step in range(4)]
    with pytest.raises(Cancelled):
        trained_matrix(tiny_llama(), progress=Recorder(cancel_at=2))


def test_rows_below_their_margin_do_not_push_and_end_the_training() -> None:
    loaded = tiny_llama()
    easy = [replace(item, margin=100.0) for item in ROWS]
    base = loaded.architecture.down_projection(1).weight.detach().clone()
    after, told = trained_matrix(loaded, rows=easy, steps=9, stops=[Learned(steps=1)])
    assert (told.steps, told.ended) == (2, "learned")
    # a cross-entropy has no margin
    assert torch.equal(after, base) is False
    still, _ = trained_matrix(loaded, rows=[replace(item, ce=0.0) for item in easy], steps=2)
    assert torch.equal(still, base)
    hard = [replace(ROWS[0], margin=0.0), *easy[2:]]
    moved, told = trained_matrix(loaded, rows=hard, steps=4, stops=[Learned(steps=1)])
    assert (told.steps, told.ended) == (4, "steps")
    alone, _ = trained_matrix(loaded, rows=[ROWS[0]], steps=4)
    torch.testing.assert_close(moved, alone, rtol=0, atol=1e-4)


def ends(rule: StopRule, seen: Sequence[Seen]) -> int | None:
    return next((number for number, one in enumerate(seen, 1) if rule.met(one)), None)


def test_training_ends_when_two_passes_have_nothing_to_learn() -> None:
    learning, quiet = Seen(loss=1.0, learning=True), Seen(loss=1.0, learning=False)
    assert ends(Learned(steps=2), [quiet, learning, quiet, quiet, quiet, quiet, quiet]) == 6
    assert ends(Learned(steps=2), [quiet, quiet, quiet, learning, quiet, quiet, quiet]) is None
    assert ends(Learned(steps=1, passes=1), [learning, quiet]) == 2


def test_training_ends_when_the_mean_loss_of_a_pass_stands_still() -> None:
    def seen(*losses: float) -> list[Seen]:
        return [Seen(loss=loss, learning=True) for loss in losses]

    falling = [2.0 * 0.9**step for step in range(20)]
    assert ends(Stalled(steps=1, passes=3, share=0.01), seen(*falling)) is None
    assert ends(Stalled(steps=1, passes=3, share=0.01), seen(*falling[:5], *[1.3] * 9)) == 8
    # what moves within a pass only is a plateau of the passes
    assert ends(Stalled(steps=2, passes=2, share=0.01), seen(*[1.0, 3.0] * 5)) == 6


def test_the_learning_rate_rises_and_falls() -> None:
    pace = [warmed(10, 0.2)(step) for step in range(10)]
    assert pace[:2] == [0.5, 1.0]
    assert pace[2:] == sorted(pace[2:], reverse=True)
    assert pace[-1] >= 0.05
    assert [steady(step) for step in range(3)] == [1.0] * 3


def test_an_activation_is_trained_like_a_parameter() -> None:
    """Any leaf that the forward pass reads: here a vector that is added to what a block gives out."""
    loaded = tiny_llama()
    row = ROWS[4]
    place = len(row.row.prompt) - 1
    added = torch.zeros(1, loaded.architecture.hidden_size, requires_grad=True)
    inner = LowerCache(loaded, 0)

    def forward(rows: Sequence[Row], batch: AnswerBatch) -> torch.Tensor:
        at = torch.full((len(rows),), place)
        block = loaded.architecture.block(2)
        with add_to_output(block, added.expand(len(rows), -1), rows=torch.arange(len(rows)), positions=at):
            return inner(rows, batch)

    before = float(part_loss(forward, [row], device=HERE)[0].detach())
    training = Training(phase="value", steps=30)
    with torch.enable_grad():
        train(
            forward,
            Masters([added], learning_rate=0.1),
            course([row], 30),
            training,
            device=HERE,
            progress=Recorder(),
        )
    assert float(part_loss(forward, [row], device=HERE)[0].detach()) < 0.5 * before


def test_what_a_part_does_not_reach_has_no_gradient() -> None:
    reached, unreached = (torch.ones(2, requires_grad=True) for _ in range(2))
    masters = Masters([reached, unreached], learning_rate=0.1)
    masters.step(reached.sum())
    assert unreached.tolist() == [1.0, 1.0]
    assert reached.tolist() == pytest.approx([0.9, 0.9])


def test_a_gradient_that_two_leaves_share_is_scaled_once() -> None:
    pair = [torch.ones(2, dtype=torch.float32, requires_grad=True) for _ in range(2)]
    masters = Masters(pair, learning_rate=0.1, clip=0.5, activations=torch.float16)
    masters.add((pair[0] + pair[1]).square().sum())
    masters.apply()
    assert pair[0].tolist() == pair[1].tolist() == pytest.approx([0.9, 0.9])


def test_added_gradients_are_one_step() -> None:
    parts, whole = (torch.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    one, other = Masters([parts], learning_rate=0.1), Masters([whole], learning_rate=0.1)
    for _ in range(3):
        one.add(parts[0] ** 2)
        one.add(parts[1] ** 3)
        one.apply()
        other.step(whole[0] ** 2 + whole[1] ** 3)
    torch.testing.assert_close(parts, whole)


def test_pace_decay_and_clipping_reach_the_optimiser() -> None:
    def step(pace: float = 1.0, *, weight_decay: float = 0.0, clip: float | None = None) -> float:
        weight = torch.tensor([2.0], requires_grad=True)
        masters = Masters([weight], learning_rate=0.1, weight_decay=weight_decay, clip=clip)
        masters.add(weight.sum() * 1e-9 if clip else weight.sum())
        masters.apply(pace=pace)
        return float(weight.detach())

    assert step() == pytest.approx(1.9)
    assert step(0.5) == pytest.approx(1.95)
    assert step(weight_decay=0.5) == pytest.approx(2.0 * 0.95 - 0.1)
    # against Adam's ε a gradient of 1e-9 is small, and clipped to 1e-12 it is nothing
    assert step(clip=1e-12) == pytest.approx(2.0, abs=1e-3)
    assert step(clip=1.0) == pytest.approx(2.0 - 0.1 / 11, abs=1e-3)
