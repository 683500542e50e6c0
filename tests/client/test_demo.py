"""The demo: its facts, its choice, its second client, and the whole story on canned data."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.client import wire
from tests.client.fake_server import FakeServer
from tests.client.wire import State

from knowledgesmith.client import FailedPrecondition, Goal
from knowledgesmith.client.demo import Settings, tell
from knowledgesmith.client.demo.facts import Candidate, answers, candidates, choose
from knowledgesmith.client.demo.live import HeadWatcher
from knowledgesmith.client.local_server import Running


def test_there_are_enough_candidates_of_both_goals() -> None:
    for goal in (Goal.EDIT, Goal.UNLEARN):
        found = candidates(goal)
        assert len(found) >= 15
        assert len({(one.subject, one.relation) for one in found}) == len(found)
        assert all(one.subject in one.prompt for one in found)
        assert all(bool(one.new_object) == (goal is Goal.EDIT) for one in found)
        assert len(Counter(one.relation for one in found)) >= 3


def test_every_candidate_is_a_fact_of_the_bundled_graph() -> None:
    atlas = files("knowledgesmith.graph_schema").joinpath("atlas")
    names: dict[str, str] = {}
    for row in csv.DictReader(io.StringIO(atlas.joinpath("entities.csv").read_text("utf-8"))):
        names[row["uid"]] = row["name"]
    rows = csv.DictReader(io.StringIO(atlas.joinpath("facts.csv").read_text("utf-8")))
    facts = {(names[row["subject"]], row["relation"], names[row["object"]]) for row in rows}
    count = Counter(names.values())
    for one in [*candidates(Goal.EDIT), *candidates(Goal.UNLEARN)]:
        assert (one.subject, one.relation, one.old_object) in facts
        for name in filter(None, (one.subject, one.old_object, one.new_object)):
            assert count[name] == 1, name


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (" Tokyo.", "Tokyo", True),
        (" the euro, which", "euro", True),
        (" Boron", "B", False),
        (" B", "B", True),
        (" tokyo", "Tokyo", False),
        (" called Tokyo", "Tokyo", False),
        ("", "Tokyo", False),
        (" Tokyo", "", False),
        (" C++ and", "C++", True),
    ],
)
def test_matching_is_by_whole_words(text: str, name: str, *, expected: bool) -> None:
    assert answers(text, name) is expected


def candidate(number: int) -> Candidate:
    return Candidate(
        goal=Goal.EDIT, subject=f"s{number}", relation="r", old_object="yes", new_object="no", prompt=f"p{number}"
    )


def test_only_known_facts_are_chosen() -> None:
    found = [candidate(number) for number in range(4)]
    chosen = choose(found, [" yes", " perhaps", " yes!", " yes"], wanted=2)
    assert [one.subject for one in chosen] == ["s0", "s2"]
    with pytest.raises(FailedPrecondition, match="knows only 1 of 4"):
        choose(found, [" yes", "", "", ""], wanted=2)


def test_the_second_client_keeps_what_grows(fake: FakeServer) -> None:
    grown: list[tuple[int, int]] = []

    def keep(entities: int, sequence: int) -> None:
        grown.append((entities, sequence))

    watcher = HeadWatcher(target=fake.target, graph_id="g", run="i1", on_growth=keep, period_s=0.02)
    with watcher:
        for rows in ('["0", null]', "[2, 3]", "[4, 9]", "[4, 9]"):
            fake.cypher_rows = (rows,)
            seen = len(fake.requests("RunCypher"))
            deadline = time.monotonic() + 10
            while len(fake.requests("RunCypher")) < seen + 2 and time.monotonic() < deadline:
                time.sleep(0.01)
    assert grown == watcher.samples == [(2, 3), (4, 9)]


class _OwnServer:
    """Stands for the server that the demo starts; remembers that it was stopped."""

    target = ""
    stopped = 0

    def __init__(self, **_: object) -> None:
        self.log = "server.log"

    def running(self) -> Running:
        return Running(pid=1, target=self.target, metrics="127.0.0.1:2", log=self.log)

    def stop(self) -> None:
        type(self).stopped += 1


@pytest.fixture
def own(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> type[_OwnServer]:
    """The demo meets the fake server; its model knows everything, and changes as asked."""
    old = {one.prompt: one for goal in (Goal.EDIT, Goal.UNLEARN) for one in candidates(goal)}

    def answer(prompt: str, revision: str) -> str:
        one = old[prompt]
        rolled_back = bool(fake.requests("RollbackBranch"))
        return f" {one.old_object}." if revision == "base" or rolled_back else f" {one.new_object or 'someone'}."

    fake.answer = answer
    fake.cypher_rows = ("[0, null]",)
    kind: type[Any] = type("Own", (_OwnServer,), {"target": fake.target, "stopped": 0})
    monkeypatch.setattr("knowledgesmith.client.demo.story.LocalServer", kind)
    return kind


def test_the_whole_story(fake: FakeServer, own: type[_OwnServer], tmp_path: Path) -> None:
    fake.branches = ("demo-edit",)
    out = io.StringIO()
    tell(settings=Settings(data_dir=tmp_path), out=Console(file=out, width=200, markup=False))
    text = out.getvalue()
    edit, unlearn = (request.spec for request in fake.requests("CreateIntervention")[1:])
    assert (edit.branch_id, len(edit.changes)) == ("demo-edit-2", 10)
    assert (unlearn.branch_id, len(unlearn.changes)) == ("demo-unlearn", 10)
    assert "10 of 10 answered with the new object" in text
    assert "10 of 10 no longer give the old answer" in text
    assert "equal, bit by bit; nodes that still show the unlearning: 0" in text
    assert "10 of 10 facts are answered as before" in text
    assert (tmp_path / "propagation.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    for piece in ("by hop", "by level", "by kind", ":param", "Time", "seconds"):
        assert piece in text
    assert own.stopped == 1


def test_a_step_that_fails_is_named_and_the_server_is_stopped(
    fake: FakeServer, own: type[_OwnServer], tmp_path: Path
) -> None:
    failed = wire.state(State.INTERVENTION_STATE_FAILED, error_message="It exploded.")
    fake.watches = [[failed]]
    out = io.StringIO()
    with pytest.raises(FailedPrecondition, match="It exploded"):
        tell(settings=Settings(data_dir=tmp_path), out=Console(file=out, width=200, markup=False))
    assert "this step failed" in out.getvalue()
    assert "Edit with alphaedit" in out.getvalue().splitlines()[-1]
    assert own.stopped == 1
