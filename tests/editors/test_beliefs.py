from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.beliefs import believe, probabilities
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
    assert scores[belief.pred] == max(scores)


def test_a_hand_made_belief() -> None:
    belief = believe([math.log(0.2), math.log(0.6), math.log(0.2)], before={1}, after=set())
    assert math.isclose(belief.p_old, 0.6)
    assert belief.p_new == 0.0
    assert belief.pred == 1


def test_equals_prefer_the_first() -> None:
    assert believe([-1.0, -1.0], before={0}, after={1}).pred == 0


@pytest.mark.parametrize("scores", [[], [math.nan], [0.0, -math.inf]])
def test_scores_that_are_not_numbers_are_refused(scores: list[float]) -> None:
    with pytest.raises(InvalidInput):
        probabilities(scores)


def test_an_answer_beyond_the_options_is_refused() -> None:
    with pytest.raises(InvalidInput, match="There are 2"):
        believe([0.0, 0.0], before={2}, after=set())
