"""Health of a revision: its wire type, and the terminal that gives the reason first."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from tests.client import wire
from tests.client.fake_server import FakeServer

from knowledgesmith import client as public
from knowledgesmith.client._wire.fill import read as read_message
from knowledgesmith.client.cli import main
from knowledgesmith.v1 import health_pb2, intervention_pb2

State = intervention_pb2.InterventionState
Run = Callable[..., Result]
REASON = "text that it never saw became 4.1x less likely a token (3.2-5.3, 80 texts)"
ALSO = "greedy text repeats itself after 11 of 16 untouched prompts (before: 1)"
WRECK = health_pb2.Health(
    ok=False,
    verdict=health_pb2.HEALTH_VERDICT_WRECKED,
    reasons=[REASON, ALSO],
    perplexity_ratio=4.1,
    perplexity_low=3.2,
    perplexity_high=5.3,
    repetition=0.6875,
)
GOOD = health_pb2.Health(ok=True, verdict=health_pb2.HEALTH_VERDICT_HEALTHY, perplexity_ratio=1.01)


@pytest.fixture
def run(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``ksmith`` against the fake server."""
    monkeypatch.setenv("KSMITH_SERVER", fake.target)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def test_no_field_of_the_wire_is_forgotten() -> None:
    names = {member.name for member in dataclasses.fields(public.Health)}
    assert names == set(health_pb2.Health.DESCRIPTOR.fields_by_name)
    ours = {f"HEALTH_VERDICT_{member.value}" for member in public.HealthVerdict}
    assert ours == set(health_pb2.HealthVerdict.keys())


def test_figures_that_were_not_measured_are_none() -> None:
    read = read_message(public.Health, GOOD)
    assert (read.ok, read.verdict, read.perplexity_ratio) == (True, public.HealthVerdict.HEALTHY, 1.01)
    assert read.realised_min is None
    assert read.nonfinite == 0
    zero = read_message(public.Health, health_pb2.Health(repetition=0.0))
    assert zero.repetition == 0.0, "a measured zero is not an absent figure"


def held(health: health_pb2.Health, *gates: str) -> intervention_pb2.WatchInterventionResponse:
    return wire.state(State.INTERVENTION_STATE_AWAITING_DECISION, failed_gates=gates, health=health)


@pytest.mark.parametrize("words", [("edit", "Japan", "has_capital", "Paris"), ("watch", "i1")], ids=["edit", "watch"])
def test_a_held_wreck_gives_its_reason_first(run: Run, fake: FakeServer, words: tuple[str, ...]) -> None:
    fake.watches = [[held(WRECK, f"wrecked: {REASON}", f"wrecked: {ALSO}", "collateral 0.3 is not <= 0.05")]]
    result = run(*words)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert f"WRECKED: {REASON}" in text
    assert f"also: {ALSO}" in text
    assert text.index("WRECKED:") < text.index("intervention i1:")
    assert "commit the wreck all the same: ksmith commit i1" in text
    assert "failed gates: collateral 0.3 is not <= 0.05" in text
    assert "failed gates: wrecked" not in text, "the reason is given once"


def test_a_healthy_run_gives_its_figures_and_no_warning(run: Run, fake: FakeServer) -> None:
    fake.watches = [[wire.state(State.INTERVENTION_STATE_SUCCEEDED, health=GOOD)]]
    text = run("watch", "i1").stdout
    assert "health healthy" in text
    assert "1.01x" in text
    assert "WRECKED" not in text


def test_json_carries_it(run: Run, fake: FakeServer) -> None:
    fake.watches = [[held(WRECK)]]
    [event] = [json.loads(line) for line in run("watch", "i1", "--json").stdout.splitlines()]
    health = event["data"]["intervention"]["health"]
    assert (health["ok"], health["reasons"]) == (False, [REASON, ALSO])


def test_hostile_text_in_a_reason_stays_text(run: Run, fake: FakeServer) -> None:
    """Options are anybody's text, and reasons quote them."""
    evil = health_pb2.Health(ok=False, verdict=health_pb2.HEALTH_VERDICT_WRECKED, reasons=["\x1b[2J is the choice"])
    fake.watches = [[held(evil)]]
    assert "\x1b[2J" not in run("watch", "i1").stdout


def test_notes_stand_in_the_summary_as_plain_text(run: Run, fake: FakeServer) -> None:
    done = wire.state(State.INTERVENTION_STATE_SUCCEEDED, health=GOOD)
    done.state.notes.append("the model does not know how to write \x1b[2J “内罗毕”")
    fake.watches = [[done]]
    text = " ".join(run("watch", "i1").stdout.split())
    assert "note: the model does not know how to write" in text
    assert "内罗毕" in text
    assert "\x1b[2J" not in text
