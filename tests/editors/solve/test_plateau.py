"""A search ends where its objective falls no more, not before, and not without need at a worse value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.editors.solve.test_solve import LAYER, search_rows

from knowledgesmith.editors.artefacts.weights import Weights
from knowledgesmith.editors.locate import value_search
from knowledgesmith.editors.locate.value_search import SearchResult, SearchSettings, search_values
from knowledgesmith.editors.methods.alphaedit import AlphaEdit, AlphaEditConfig
from knowledgesmith.editors.models.loaded import LoadedModel
from knowledgesmith.editors.solve.plateau import Plateau
from knowledgesmith.editors.statistics.moments import TextStatistics
from knowledgesmith.editors.surgery.computing import computing_in
from knowledgesmith.editors.testing.rehearsal import Recorder, rehearsal_request, teach
from knowledgesmith.editors.testing.tiny import tiny
from knowledgesmith.graph_schema.types.interventions import Goal, TargetDistribution

WINDOWS = st.integers(1, 12)
SHARES = st.floats(0.001, 0.2)
DTYPES = [torch.float32, torch.bfloat16]
STRUCTURES = ("llama", "gpt2")


def passes(courses: Sequence[Sequence[float]], *, window: int, share: float) -> list[int]:
    """After how many passes each search is stuck; 0 for never."""
    plateau = Plateau(window=window, share=share)
    found = [0] * len(courses)
    for number, objective in enumerate(zip(*courses, strict=True), start=1):
        plateau.see(torch.tensor(objective, dtype=torch.float64))
        for index, stuck in enumerate(plateau.stuck().tolist()):
            found[index] = found[index] or (number if stuck else 0)
    return found


@settings(max_examples=30, deadline=None)
@given(window=WINDOWS, share=SHARES, start=st.floats(1e-3, 1e3))
def test_what_does_not_move_is_stuck_after_one_window(window: int, share: float, start: float) -> None:
    assert passes([[start] * 30], window=window, share=share) == [window + 1]


@settings(max_examples=30, deadline=None)
@given(window=WINDOWS, share=SHARES, start=st.floats(1e-3, 1e3), faster=st.floats(1.05, 3))
def test_what_falls_by_the_share_is_never_stuck(window: int, share: float, start: float, faster: float) -> None:
    factor = (1 - min(faster * share, 0.9)) ** (1 / window)
    assert passes([[start * factor**n for n in range(60)]], window=window, share=share) == [0]


@settings(max_examples=30, deadline=None)
@given(window=st.integers(3, 12), share=SHARES, noise=st.lists(st.floats(0, 5), min_size=60, max_size=60))
def test_rises_between_do_not_hide_a_fall(window: int, share: float, noise: list[float]) -> None:
    """Every second pass is above the best one by anything: Adam's steps are of one size."""
    factor = (1 - min(1.1 * share, 0.9)) ** (1 / (window - 1))
    course = [factor**n * (1 + (n % 2) * noise[n]) for n in range(60)]
    assert passes([course], window=window, share=share) == [0]


def test_each_search_is_judged_by_itself_and_no_window_ends_none() -> None:
    still, falling = [2.0] * 20, [2.0 * 0.8**n for n in range(20)]
    assert passes([falling, still, falling], window=4, share=0.01) == [0, 5, 0]
    assert passes([falling, still], window=0, share=0.01) == [0, 0]
    assert passes([[0.0] * 20], window=4, share=0.01) == [5], "nothing is left to gain"


LATE = [5.0, 9.0, 8.0, 7.5, 7.2, 7.0, 6.8, 6.6, 6.4, 6.2, 6.0, 5.8, 5.6, 5.4, 5.2, 4.95, 4.5, 4.0, 3.5, 3.0, 2.5]
"""Rises first, and takes long to come below its start; there by less than a share of it."""


@settings(max_examples=30, deadline=None)
@given(
    window=WINDOWS,
    share=SHARES,
    start=st.floats(1e-3, 1e3),
    above=st.lists(st.floats(1.01, 9), min_size=15, max_size=40),
)
def test_what_rose_first_is_not_stuck_before_it_was_below_its_start(
    window: int, share: float, start: float, above: list[float]
) -> None:
    """Its window begins where it comes below, however little: it has just begun to get on."""
    risen = start * (1 + 2 * share)
    course = [start, risen, *(start * factor for factor in above)]
    assert passes([course], window=window, share=share) == [0]
    still = [*course, *([start * (1 - 1e-6)] * 20)]
    assert passes([still], window=window, share=share) == [len(course) + 1 + window]


def test_each_search_that_rose_has_its_own_window() -> None:
    still, late = [5.0] * len(LATE), LATE
    assert passes([late, still, late], window=8, share=0.02) == [0, 9, 0]


def test_the_best_pass_is_told() -> None:
    plateau = Plateau(window=3, share=0.01)
    seen = [plateau.see(torch.tensor(two)).tolist() for two in ([3.0, 1.0], [2.0, 1.0], [2.5, 0.5])]
    assert seen == [[True, True], [True, False], [False, True]]


def searched(loaded: LoadedModel, dtype: torch.dtype, **chosen: Any) -> SearchResult:
    rows = search_rows(loaded)
    with computing_in(loaded.model, dtype):
        return search_values(loaded, rows, settings=SearchSettings(layer=LAYER, **chosen))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("structure", ["llama", "gpt2"])
def test_a_search_that_cannot_move_ends_after_one_window(structure: str, dtype: torch.dtype) -> None:
    found = searched(tiny(structure), dtype, steps=40, clamp=1e-9, stop=0.0, window=4)
    assert found.steps.tolist() == [4, 4, 4]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_search_whose_loss_falls_goes_on(dtype: torch.dtype) -> None:
    """Small steps fall slowly, and by more than the share each: all are taken."""
    found = searched(tiny("llama"), dtype, steps=20, learning_rate=0.05, clamp=9.0, stop=0.0, window=8, share=1e-4)
    assert found.steps.tolist() == [19, 19, 19]


def following(monkeypatch: pytest.MonkeyPatch, course: Sequence[float]) -> None:
    """Every search has these losses, whatever its change, and a gradient that moves it."""
    left = iter(course)

    def told(
        _loaded: object, _places: object, _groups: object, change: torch.Tensor, norms: torch.Tensor, *_: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        change.grad = torch.ones_like(change)
        value = torch.full_like(norms[:, 0], next(left))
        return value, value

    monkeypatch.setattr(value_search, "_backward", told)


@pytest.mark.parametrize("window", [1, 4, 8])
def test_a_search_that_rises_first_gets_to_its_end(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    following(monkeypatch, LATE)
    found = searched(tiny("llama"), torch.float32, steps=len(LATE), stop=0.1, window=window)
    assert found.steps.tolist() == [len(LATE) - 1] * 3
    assert found.loss.tolist() == pytest.approx([LATE[-1]] * 3)
    assert bool((found.change.norm(dim=1) > 0).all())
    assert not bool(found.met.any())


def test_a_search_that_never_got_below_its_start_changes_nothing_and_says_that_it_did_not_meet_its_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    following(monkeypatch, [5.0] + [9.0] * 19)
    found = searched(tiny("llama"), torch.float32, steps=20, stop=0.1, window=4)
    assert found.steps.tolist() == [19, 19, 19]
    assert not bool(found.change.any())
    assert not bool(found.met.any())
    following(monkeypatch, [0.05])
    assert bool(searched(tiny("llama"), torch.float32, steps=20, stop=0.1, window=4).met.all())


@pytest.mark.parametrize("settle", [0.0, 0.5])
@pytest.mark.parametrize(("course", "share"), [([5.0] + [9.0] * 39, 0.0), ([0.05], 1.0)])
@pytest.mark.parametrize(("goal", "target"), sorted(AlphaEdit.accepts))
def test_nothing_is_realised_of_a_target_that_was_not_met_by_no_change(
    monkeypatch: pytest.MonkeyPatch,
    goal: Goal,
    target: TargetDistribution,
    course: list[float],
    share: float,
    settle: float,
) -> None:
    """No change where the target was met before is all that was wanted; where it was not met it is none of it."""
    following(monkeypatch, course)
    made = applied(tiny("llama"), goal, target, settle=settle)
    assert {fact["along"] for fact in json.loads(made.metadata["realised"])} == {share}


def test_without_a_window_the_search_is_the_authors() -> None:
    """Their search returns where it is after its last step, whatever it met on its way."""
    full = searched(tiny("llama"), torch.float32, steps=12, learning_rate=2.0, stop=0.0)
    assert full.steps.tolist() == [11, 11, 11]
    better = searched(tiny("llama"), torch.float32, steps=12, learning_rate=2.0, stop=0.0, window=12)
    assert bool((better.loss <= full.loss + 1e-6).all()), "the best value of the same course"


CASES = sorted(AlphaEdit.accepts)


def applied(loaded: LoadedModel, goal: Goal, target: TargetDistribution, **changes: Any) -> Weights:
    request = rehearsal_request(goal, target)
    config = AlphaEditConfig(layers=(0, 1), kept=1.0, penalty=0.01, clamp=1.0, least_prompts=1, **changes)
    return AlphaEdit(config).apply(loaded, request, TextStatistics(loaded, request.statistics_text, None), Recorder())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("goal", "target"), CASES)
def test_an_early_end_is_no_worse_than_the_full_run(goal: Goal, target: TargetDistribution, dtype: str) -> None:
    """About the loss of forty steps, in no more of them, and in fewer altogether."""
    steps: list[tuple[float, float]] = []
    for structure in STRUCTURES:
        loaded = teach(tiny(structure), rehearsal_request(goal, target), steps=30)
        full = applied(loaded, goal, target, compute_dtype=dtype, patience=0).metadata
        early = applied(loaded, goal, target, compute_dtype=dtype).metadata
        assert float(early["mean_loss"]) <= 1.05 * float(full["mean_loss"]) + 0.02, (structure, early, full)
        steps.append((float(early["mean_steps"]), float(full["mean_steps"])))
    assert all(few <= many for few, many in steps)
    if goal is Goal.UNLEARN:
        assert sum(few for few, _ in steps) < 0.9 * sum(many for _, many in steps)


def test_the_settings_say_what_the_authors_had() -> None:
    properties = json.loads(json.dumps(AlphaEditConfig.model_json_schema()))["properties"]
    assert properties["patience"]["author"]["value"] == "0"
    assert AlphaEditConfig().patience > 0
