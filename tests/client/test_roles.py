"""Targets, what follows and what stays on the terminal: texts, chance, placebo, schemes, withheld rates, warnings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from tests.client.fake_server import FakeServer

from knowledgesmith.client import Grouping, KnowledgeSmith, Role, Verdict
from knowledgesmith.client.cli import main
from knowledgesmith.v1 import intervention_pb2

Run = Callable[..., Result]


@pytest.fixture
def run(fake: FakeServer) -> Run:
    def call(*words: str) -> Result:
        result = CliRunner().invoke(main, [*words, "--server", fake.target])
        assert result.exit_code == 0, result.output
        return result

    return call


def test_rates_stand_beside_role_chance_and_placebo(run: Run) -> None:
    text = run("propagation", "i1").stdout
    lines = [line.split() for line in text.splitlines()]
    (installed,) = [line for line in lines if "installed" in line]
    assert "targets" in installed
    assert installed[-4:] == ["25", "%", "0", "%"] or installed[-5:-1] == ["25", "%", "0", "%"]
    residual = next(line for line in lines if "residual" in line)
    assert "follows" not in residual, "a group's further rates do not repeat its rows"
    assert "placebo: i0" in text
    assert "scheme 1" not in text


def test_without_a_placebo_the_noise_is_unknown(run: Run, fake: FakeServer) -> None:
    fake.rates = {"verdict_scheme": 2}
    assert "no placebo was run on this branch" in run("propagation", "i1").stdout
    assert "no placebo was run on this branch" in run("propagation", "metrics", "i1").stdout


def test_old_verdicts_are_named_as_such(run: Run, fake: FakeServer) -> None:
    fake.rates = {"verdict_scheme": 1}
    for words in (("propagation", "i1"), ("propagation", "metrics", "i1")):
        assert "verdicts of scheme 1 (targets not told apart)" in run(*words).stdout


def test_the_rates_of_a_wreck_give_way_to_the_reason(run: Run, fake: FakeServer) -> None:
    fake.rates = {"verdict_scheme": 2, "withheld": "greedy text repeats\x1b[2J itself"}
    for words in (("propagation", "i1"), ("propagation", "metrics", "i1")):
        text = run(*words).stdout
        assert "withheld: greedy text repeats" in text
        assert "\x1b" not in text
    answer = json.loads(run("propagation", "i1", "--json").stdout)
    assert answer["withheld"].startswith("greedy")


def test_a_wreck_has_no_accuracy_at_its_scale(run: Run, fake: FakeServer, smith: KnowledgeSmith) -> None:
    fake.rates = {**fake.rates, "withheld": "greedy text repeats\x1b[2J itself"}
    good, wreck = smith.propagation.collapse(intervention_ids=["i1", "i2"]).points
    assert (good.withheld, good.direct.trials) == ("", 4)
    assert (wreck.direct.value, wreck.reverse.value) == (None, None)
    text = run("propagation", "collapse", "i1", "i2").stdout
    assert "withheld: greedy text repeats" in text
    assert "\x1b" not in text
    answer = json.loads(run("propagation", "collapse", "i1", "i2", "--json").stdout)
    assert [point["withheld"][:6] for point in answer["result"]["points"]] == ["", "greedy"]


def test_texts_of_targets_are_printed_and_move_no_cursor(run: Run, smith: KnowledgeSmith) -> None:
    (one,) = smith.propagation.evidence(intervention_id="i1", roles=(Role.TARGET,)).evidence
    assert (one.role, one.verdict, one.text_disagrees) == (Role.TARGET, Verdict.NOT_INSTALLED, True)
    assert one.text_after == " Rome\x1b[31m\x07\nred", "as it came"
    for words in (
        ("propagation", "targets", "i1"),
        ("propagation", "evidence", "i1", "--role", "target"),
        ("edit", "Japan", "has_capital", "Paris"),
    ):
        text = run(*words).stdout
        assert "Tokyo." in text
        assert "Rome" in text
        assert "not installed" in text
        assert "text ≠ choice" in text
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "Tokyo 0.75 → 0.25" in run("propagation", "targets", "i1").stdout
    assert "Paris 0.12 → 0.50" in run("propagation", "targets", "i1").stdout


def test_roles_reach_the_wire(run: Run, fake: FakeServer, smith: KnowledgeSmith) -> None:
    run("propagation", "evidence", "i1", "--role", "follows", "--role", "stays")
    asked = fake.requests("ListEvidence")[-1]
    assert (list(asked.roles), list(asked.verdicts)) == ([2, 3], [])
    smith.propagation.rates(intervention_id="i1", group_by=Grouping.ROLE)
    assert fake.requests("GetPropagation")[-1].group_by == 7


def test_a_plan_warns_first(run: Run, fake: FakeServer) -> None:
    fake.warnings = [
        intervention_pb2.PlanWarning(
            kind=intervention_pb2.WARNING_KIND_TYPE,
            fact_id="f",
            message="“copper” is no City.",
            hint="Check the name.",
        )
    ]
    text = run("plan", "Japan", "has_capital", "copper").stdout
    assert text.splitlines()[0] == "warning: “copper” is no City. Check the name."
    done = run("edit", "Japan", "has_capital", "copper")
    assert "warning: “copper” is no City." in done.stderr


def test_rows_that_were_cut_off_are_told(run: Run) -> None:
    assert "cut at 2 rows" not in run("cypher", "MATCH (n) RETURN n").stderr
    assert "there are more" in run("cypher", "MATCH (n) RETURN n", "--max-rows", "1").stderr
