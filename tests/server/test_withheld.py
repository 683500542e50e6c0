"""Rates of wrecks: none of GetCollapse, and none that a run is judged by but what it broke."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from knowledgesmith.graph_schema import propagation
from knowledgesmith.graph_schema.propagation import Scale
from knowledgesmith.graph_schema.types.health import Health, HealthVerdict
from knowledgesmith.server.servicers.propagation import PropagationServicer
from knowledgesmith.server.worker.attempt import gates
from knowledgesmith.v1 import propagation_pb2

REASON = "greedy text repeats itself"


def at(k: int, direct: int, *, withheld: str = "") -> Scale:
    return Scale(
        intervention=f"k{k}-{direct}",
        k=k,
        direct_right=direct,
        direct_n=200,
        reverse_right=150,
        reverse_n=200,
        withheld=withheld,
    )


def collapse(monkeypatch: pytest.MonkeyPatch, *points: Scale) -> propagation_pb2.GetCollapseResponse:
    def scales(*_: object) -> tuple[list[Scale], propagation.Pasteable]:
        return list(points), propagation.Pasteable(cypher="RETURN 1", parameters={})

    monkeypatch.setattr(propagation, "scales", scales)
    parts: Any = SimpleNamespace(store=None)
    context: Any = None
    request = propagation_pb2.GetCollapseRequest(intervention_ids=["any"])
    return asyncio.run(PropagationServicer(parts).GetCollapse(request, context))


@pytest.mark.parametrize("direct", [199, 3], ids=["a wreck that looks best", "a wreck that looks worst"])
def test_a_wreck_is_no_scale_of_a_collapse(monkeypatch: pytest.MonkeyPatch, direct: int) -> None:
    healthy = [at(1, 150), at(10, 148), at(1000, 144)]
    expected = collapse(monkeypatch, *healthy)
    found = collapse(monkeypatch, healthy[0], at(5, direct, withheld=REASON), *healthy[1:])
    assert found.falls == expected.falls
    assert found.HasField("collapse_k") == expected.HasField("collapse_k") is False
    assert [point.withheld for point in found.points] == ["", REASON, "", ""]
    wreck = found.points[1]
    assert not wreck.HasField("direct")
    assert not wreck.HasField("reverse")
    assert all(point.direct.trials == point.reverse.trials == 200 for point in expected.points)


def test_a_wreck_among_runs_of_its_scale_is_not_pooled_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = collapse(monkeypatch, at(1, 150), at(10, 148))
    assert collapse(monkeypatch, at(1, 150), at(10, 148), at(10, 0, withheld=REASON)).falls == expected.falls


def test_what_a_wreck_broke_is_told_and_nothing_that_it_gained() -> None:
    rates = dict.fromkeys(("installed", "erased", "propagated", "forgotten", "residual", "collateral"), 0.9)
    wreck = Health(verdict=HealthVerdict.WRECKED, reasons=(REASON,))
    kept = gates.kept({**rates, "perplexity_ratio": 9.0}, wreck)
    assert json.loads(str(kept["metrics"])) == {"collateral": 0.9, "perplexity_ratio": 9.0}
    assert kept["metrics_withheld"] == REASON
