from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledgesmith.editors.measures.intervals import cluster_bootstrap, wilson
from knowledgesmith.graph_schema.errors import InvalidInput


def test_wilson_against_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263 and 15 of 148
    for successes, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        estimate = wilson(successes, n)
        assert math.isclose(estimate.low, low, abs_tol=5e-5)
        assert math.isclose(estimate.high, high, abs_tol=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_holds_its_rate(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    estimate = wilson(successes, n)
    assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0
    mirrored = wilson(n - successes, n)
    assert math.isclose(mirrored.low, 1 - estimate.high, abs_tol=1e-12)


def test_nothing_seen_says_nothing() -> None:
    estimate = wilson(0, 0)
    assert math.isnan(estimate.value)
    assert (estimate.low, estimate.high) == (0.0, 1.0)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(InvalidInput):
        wilson(3, 2)


def test_repeating_probes_of_one_fact_adds_no_certainty() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]
    single = cluster_bootstrap(values, list(range(8)), seed=1)
    repeated = cluster_bootstrap(values * 10, list(range(8)) * 10, seed=1)
    assert math.isclose(single.low, repeated.low)
    assert math.isclose(single.high, repeated.high)
    assert repeated.n == 80
    assert repeated.clusters == 8
    naive = cluster_bootstrap(values * 10, list(range(80)), seed=1)
    assert naive.high - naive.low < repeated.high - repeated.low


def test_bootstrap_is_seeded() -> None:
    values, facts = [0.1, 0.5, 0.9, 0.3], ["a", "b", "b", "c"]
    assert cluster_bootstrap(values, facts, seed=3) == cluster_bootstrap(values, facts, seed=3)
    estimate = cluster_bootstrap(values, facts, seed=3)
    assert math.isclose(estimate.value, 0.45)
    assert estimate.low <= estimate.value <= estimate.high


@pytest.mark.parametrize(("values", "facts"), [([], []), ([1.0], ["a", "b"])])
def test_bootstrap_needs_pairs(values: list[float], facts: list[str]) -> None:
    with pytest.raises(InvalidInput):
        cluster_bootstrap(values, facts, seed=0)
