"""The collapse point from counts, and the interval of a difference."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm

from knowledgesmith.editors.measures.collapse import ScalePoint, collapse_point, falls
from knowledgesmith.editors.measures.intervals import difference, wilson
from knowledgesmith.graph_schema.errors import InvalidInput


def at(k: int, direct: int, reverse: int, n: int = 200) -> ScalePoint:
    return ScalePoint(k=k, direct_right=direct, direct_n=n, reverse_right=reverse, reverse_n=n)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe (1998), table II, method 10: 56/70 and 48/80
    found = difference((56, 70), (48, 80))
    assert (round(found.value, 4), round(found.low, 4), round(found.high, 4)) == (0.2, 0.0524, 0.3339)
    assert difference((9, 10), (3, 10)).low == pytest.approx(0.1705, abs=5e-5)
    mirrored = difference((48, 80), (56, 70))
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))
    with pytest.raises(InvalidInput, match="trials"):
        difference((0, 0), (1, 2))


def test_wilson_inverts_the_score_test() -> None:
    estimate = wilson(48, 80)
    z = norm.ppf(0.975)
    for bound in (estimate.low, estimate.high):
        assert abs(0.6 - bound) == pytest.approx(z * math.sqrt(bound * (1 - bound) / 80))


def test_collapse_is_the_first_scale_where_direct_falls_and_reverse_holds() -> None:
    points = [at(1000, 90, 150), at(1, 120, 150), at(10, 160, 152), at(100, 155, 149)]
    assert [fall.k for fall in falls(points)] == [1, 10, 100, 1000]
    assert [fall.collapsed for fall in falls(points)] == [False, False, False, True]
    assert collapse_point(points) == 1000
    assert collapse_point(points[1:]) is None


def test_a_fall_of_both_is_no_collapse_of_consistency() -> None:
    assert collapse_point([at(1, 160, 160), at(10, 80, 80)]) is None


def test_a_fall_is_measured_from_the_running_maximum() -> None:
    slow = [at(k, direct, 150) for k, direct in ((1, 160), (10, 150), (100, 146), (1000, 134))]
    found = falls(slow)[-1]
    assert found.direct is not None
    assert found.direct.value == pytest.approx(0.13)
    assert collapse_point(slow) == 1000


def test_runs_of_one_scale_are_pooled_and_missing_probes_decide_nothing() -> None:
    assert [fall.k for fall in falls([at(10, 20, 20, 40), at(10, 30, 20, 40), at(1, 5, 5, 5)])] == [1, 10]
    nothing = ScalePoint(k=10, direct_right=1, direct_n=50, reverse_right=0, reverse_n=0)
    assert collapse_point([at(1, 160, 160), nothing]) is None
    assert collapse_point([]) is None
