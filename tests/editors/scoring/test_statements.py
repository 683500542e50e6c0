from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.scoring.beliefs import NO_CHOICE
from knowledgesmith.editors.scoring.statements import believe_statement, both_ways
from knowledgesmith.graph_schema.errors import InvalidInput

SCORE = st.floats(-60, 0)


@given(SCORE, SCORE, st.sets(st.integers(0, 1)))
def test_a_model_that_says_the_same_to_everything_makes_no_choice(true: float, false: float, answers: set[int]) -> None:
    """Whatever it likes, and however much: after statement and denial it gives the same, so nothing is said."""
    belief = believe_statement([true, false], [true, false], before=answers, after={0})
    assert belief.pred == NO_CHOICE
    assert belief.p_new == 0.5


@given(SCORE, SCORE, SCORE, SCORE, st.floats(-20, 20), st.floats(-20, 20))
def test_a_liking_for_a_word_drops_out(a: float, b: float, c: float, d: float, true: float, false: float) -> None:
    plain = both_ways([a, b], [c, d])
    liked = both_ways([a + true, b + false], [c + true, d + false])
    assert math.isclose(plain[0] - plain[1], liked[0] - liked[1], abs_tol=1e-9)
    odds = (a - b) - (c - d)
    assert math.isclose(plain[0] - plain[1], odds, abs_tol=1e-9)


@given(SCORE, SCORE, SCORE, SCORE)
def test_the_order_of_the_options_does_not_matter(a: float, b: float, c: float, d: float) -> None:
    one, other = both_ways([a, b], [c, d])
    assert both_ways([b, a], [d, c]) == [other, one]


def test_a_model_that_tells_them_apart_chooses() -> None:
    holds = believe_statement([-0.1, -3.0], [-2.0, -0.2], before={0}, after={1})
    assert (holds.pred, holds.p_old > 0.9) == (0, True)
    denies = believe_statement([-3.0, -0.1], [-0.2, -2.0], before={0}, after={1})
    assert denies.pred == 1


@pytest.mark.parametrize(("stated", "denied"), [([0.0], [0.0, 0.0]), ([0.0, 0.0], []), ([0.0] * 3, [0.0] * 3)])
def test_a_statement_has_two_options(stated: list[float], denied: list[float]) -> None:
    with pytest.raises(InvalidInput):
        both_ways(stated, denied)
