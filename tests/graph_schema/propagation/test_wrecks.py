"""What no question says of a run whose revision was found unhealthy: anything that could pass for a success."""

from __future__ import annotations

import pytest
from tests.graph_schema.propagation.conftest import Run, advance, committed

from knowledgesmith.graph_schema import propagation as ask
from knowledgesmith.graph_schema.storage.store import GraphStore

REASON = "greedy text repeats itself"
SHOWN = {"ccr", "conflict_same_before", "conflict_any_before"}
"""What it broke, and what was so before: neither can be better of a wreck."""


@pytest.fixture(scope="module")
def wreck(store: GraphStore, first: Run) -> Run:
    run = committed(store, first.plan, seed=9, order=9)
    advance(store, run.id, "SUCCEEDED", {"health_ok": False, "health_reasons": [REASON]})
    return run


def test_the_accuracy_of_a_wreck_is_withheld_with_the_reason(store: GraphStore, first: Run, wreck: Run) -> None:
    found, _ = ask.scales(store, [first.id, wreck.id])
    assert {point.intervention: point.withheld for point in found} == {first.id: "", wreck.id: REASON}


def test_a_wreck_without_reasons_is_one_all_the_same(store: GraphStore, first: Run) -> None:
    run = committed(store, first.plan, seed=10, order=10)
    advance(store, run.id, "SUCCEEDED", {"health_ok": False})
    (point,), _ = ask.scales(store, [run.id])
    assert point.withheld == ask.floor(store, run.id).withheld != ""


def test_no_metric_of_a_wreck_is_left_to_compute_a_withheld_one_from(store: GraphStore, first: Run, wreck: Run) -> None:
    names = {one.name for one in ask.metrics(store, first.id).metrics}
    report = ask.metrics(store, wreck.id)
    assert report.withheld == REASON
    assert {one.name for one in report.metrics} == SHOWN
    assert names > SHOWN
