"""Cases in the client: read, chosen round by round, turned into what an intervention takes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from tests.client.fake_server import FakeServer

from knowledgesmith.client import Case, FactChange, Goal, InvalidInput, KnowledgeSmith, Polarity, ProbeKind
from knowledgesmith.client._wire.fill import read
from knowledgesmith.client.cli import main
from knowledgesmith.v1 import common_pb2

Run = Callable[..., Result]
THERE = FactChange(subject="japan", relation="has_capital", old_object="tokyo", new_object="paris")
BACK = FactChange(subject="japan", relation="has_capital", old_object="paris", new_object="tokyo")


@pytest.fixture
def run(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KSMITH_SERVER", fake.target)
    monkeypatch.delenv("KSMITH_BRANCH", raising=False)
    return lambda *words: CliRunner().invoke(main, list(words))


@pytest.fixture
def case(fake: FakeServer) -> Case:
    with KnowledgeSmith(fake.target) as smith:
        return smith.cases.get(graph_id="atlas", case_id="set:1")


def test_a_case_brings_its_own_probes(case: Case) -> None:
    (probe,) = case.probes
    assert (probe.kind, probe.polarity, probe.answers) == (ProbeKind.DIRECT, Polarity.CHANGE, ("Paris",))
    assert probe.answers_before == ("Tokyo",)
    assert (case.goal, case.file, case.record, dict(case.families)) == (Goal.EDIT, "set.json", 1, {"rephrase": 1})
    assert case.rounds[0].changes[0].subject_name == "Japan"


def test_each_round_is_a_request_of_its_own(case: Case) -> None:
    assert case.changes() == (THERE,)
    spec = case.spec(branch_id="main", method="alphaedit", round=2, seed=7)
    assert (spec.changes, spec.goal, spec.seed, spec.branch_id) == ((BACK,), Goal.EDIT, 7, "main")
    for wrong in (0, 3):
        with pytest.raises(InvalidInput, match="no such round") as caught:
            case.changes(round=wrong)
        assert "1 to 2" in caught.value.hint


def test_the_filters_of_a_listing_are_sent(fake: FakeServer) -> None:
    with KnowledgeSmith(fake.target) as smith:
        found = smith.cases.list(graph_id="atlas", goal=Goal.EDIT, family="rephrase", limit=1)
    assert [item.id for item in found] == ["set:1"]
    (request,) = fake.requests("ListCases")
    assert (request.goal, request.family, request.page_size) == (common_pb2.GOAL_EDIT, "rephrase", 1)


def test_the_list_and_a_case_are_shown(run: Run) -> None:
    listed = run("cases", "atlas").stdout
    assert "Japan · has_capital · Tokyo → Paris (and 1 more)" in listed
    shown = run("cases", "atlas", "set:1").stdout
    assert "Japan is led from" in shown
    assert "Paris → Tokyo" in shown


def test_an_edit_takes_the_changes_of_a_case(run: Run, fake: FakeServer) -> None:
    assert run("edit", "--case", "set:1", "--round", "2", "--no-wait").exit_code == 0
    (request,) = fake.requests("CreateIntervention")
    assert [read(FactChange, change) for change in request.spec.changes] == [BACK]
    assert [request.graph_id for request in fake.requests("GetCase")] == ["atlas"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("edit", "a", "b", "c", "--case", "set:1"), "--case ID"),
        (("plan", "--of", "i1", "--case", "set:1"), "--of shows"),
        (("unlearn", "--case", "set:1"), "goal of case set:1 is edit"),
        (("edit", "--case", "set:1", "--round", "3"), "no such round"),
    ],
)
def test_a_wrong_choice_is_said_and_nothing_is_asked_for(
    run: Run, fake: FakeServer, words: tuple[str, ...], said: str
) -> None:
    result = run(*words)
    assert result.exit_code != 0
    assert said in result.output
    assert not fake.requests("CreateIntervention")


def test_json_holds_everything(run: Run) -> None:
    value = json.loads(run("cases", "atlas", "set:1", "--json").stdout)
    assert value["rounds"][1]["changes"][0]["new_object_uid"] == "tokyo"
    assert value["probes"][0]["answers_before"] == ["Tokyo"]
