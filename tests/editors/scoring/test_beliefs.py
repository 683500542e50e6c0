from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.scoring.beliefs import (
    NO_CHOICE,
    OptionScore,
    believe,
    best_option,
    probabilities,
    scorers_disagree,
)
from knowledgesmith.graph_schema.errors import InvalidInput

SCORES = st.lists(st.floats(-200, 0), min_size=1, max_size=6)


@given(SCORES, st.floats(-50, 50))
def test_probabilities_add_up_and_ignore_a_common_shift(scores: list[float], shift: float) -> None:
    shares = probabilities(scores)
    assert math.isclose(math.fsum(shares), 1.0, abs_tol=1e-12)
    moved = probabilities([score + shift for score in scores])
    assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(shares, moved, strict=True))


@given(SCORES, st.data())
def test_beliefs_are_masses_of_answers(scores: list[float], data: st.DataObject) -> None:
    indices = st.sets(st.integers(0, len(scores) - 1))
    before, after = data.draw(indices), data.draw(indices)
    belief = believe(scores, before=before, after=after)
    assert math.isclose(belief.p_old, sum(probabilities(scores)[i] for i in before), abs_tol=1e-12)
    assert 0.0 <= belief.p_new <= 1.0
    best = [index for index, score in enumerate(scores) if score == max(scores)]
    assert belief.pred == (best[0] if len(best) == 1 else NO_CHOICE)


def test_a_hand_made_belief() -> None:
    belief = believe([math.log(0.2), math.log(0.6), math.log(0.2)], before={1}, after=set())
    assert math.isclose(belief.p_old, 0.6)
    assert belief.p_new == 0.0
    assert belief.pred == 1


@pytest.mark.parametrize(
    ("scores", "pred"),
    [
        ([-1.0, -1.0], NO_CHOICE),
        ([-2.0, -1.0, -1.0], NO_CHOICE),
        ([-1.0, -2.0, -2.0], 0),
        ([-1.0, math.nextafter(-1.0, 0.0)], 1),
        ([-1.0], 0),
    ],
)
def test_only_an_exact_tie_at_the_top_is_no_choice(scores: list[float], pred: int) -> None:
    assert believe(scores, before={0}, after=set()).pred == best_option(scores) == pred


def test_scorers_that_all_tie_agree() -> None:
    same = OptionScore(sum_logprob=-1.0, n_tokens=1, text="a", tokens=(1,))
    other = OptionScore(sum_logprob=-1.0, n_tokens=2, text="b", tokens=(2, 3))
    assert not scorers_disagree([same, same])
    assert scorers_disagree([same, other]), "a tie by the sum, a choice by the mean"


@pytest.mark.parametrize("scores", [[], [math.nan], [0.0, -math.inf]])
def test_scores_that_are_not_numbers_are_refused(scores: list[float]) -> None:
    with pytest.raises(InvalidInput):
        probabilities(scores)


def test_an_answer_beyond_the_options_is_refused() -> None:
    with pytest.raises(InvalidInput, match="There are 2"):
        believe([0.0, 0.0], before={2}, after=set())
