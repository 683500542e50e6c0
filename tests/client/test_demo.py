"""The demo: its facts, its choice, its second client, and the whole story on canned data."""

from __future__ import annotations

import csv
import io
import re
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
from knowledgesmith.client.demo.estimates import COSTS, Pace, duration, pace
from knowledgesmith.client.demo.facts import Candidate, answers, candidates, choose
from knowledgesmith.client.demo.live import HeadWatcher
from knowledgesmith.client.demo.story import STEPS
from knowledgesmith.client.examination import Examination, Part
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
        for rows in ((0, None), (2, 3), (4, 9), (4, 9)):
            fake.cypher_rows = [wire.row(*rows)]
            seen = len(fake.requests("RunCypher"))
            deadline = time.monotonic() + 900
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
    fake.cypher_rows = [wire.row(0, None)]
    kind: type[Any] = type("Own", (_OwnServer,), {"target": fake.target, "stopped": 0})
    monkeypatch.setattr("knowledgesmith.client.demo.story.LocalServer", kind)
    monkeypatch.setattr("knowledgesmith.client.demo.story.examine", examined)
    return kind


PRECISION = Part(
    name="precision",
    status="OK",
    text="bfloat16: float32 took 14.0 ms, bfloat16 7.0 ms",
    figures={"float32_seconds": 0.014},
)


def examined(**_: object) -> Examination:
    """A machine on which everything is well."""
    return Examination(ok=True, parts=(PRECISION,))


def test_the_whole_story(fake: FakeServer, own: type[_OwnServer], tmp_path: Path) -> None:
    fake.branches = ("demo-edit",)
    out = io.StringIO()
    tell(settings=Settings(data_dir=tmp_path), out=Console(file=out, width=200, markup=False))
    text = out.getvalue()
    edit, unlearn = (request.spec for request in fake.requests("CreateIntervention")[1:])
    assert (edit.branch_id, len(edit.changes)) == ("demo-edit-2", 8)
    assert (unlearn.branch_id, len(unlearn.changes)) == ("demo-unlearn", 8)
    assert "8 of 8 answered with the new object" in text
    assert "8 of 8 no longer give the old answer" in text
    assert "equal, bit by bit; nodes that still show the unlearning: 0" in text
    assert "8 of 8 facts are answered as before" in text
    assert (tmp_path / "propagation.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    for piece in ("by hop", "by level", "by kind", ":param", "Time", "expected", "seconds"):
        assert piece in text
    assert own.stopped == 1
    assert "precision: bfloat16: float32 took 14.0 ms, bfloat16 7.0 ms" in text
    assert "The whole demo takes about" in text
    assert {unlearn.method, edit.method} == {"alphaedit"}
    headlines = [number for number, line in enumerate(text.splitlines()) if re.match(r" \d+\. ", line)]
    assert len(headlines) == len(STEPS)
    for number in headlines:
        assert text.splitlines()[number + 1].startswith("about "), "an estimate stands before every step"


def test_a_change_that_waits_is_told_discarded_and_nothing_is_claimed_of_it(
    fake: FakeServer, own: type[_OwnServer], tmp_path: Path
) -> None:
    reasons = ["wrecked: text became 40 times less likely", "collateral 0.9 is not <= 0.05"]
    waits = wire.state(State.INTERVENTION_STATE_AWAITING_DECISION, failed_gates=reasons)
    fake.watches = [[waits], [waits]]
    out = io.StringIO()
    tell(settings=Settings(data_dir=tmp_path), out=Console(file=out, width=200, markup=False))
    text = out.getvalue()
    assert text.count(f"was not committed: {reasons[0]}") == 2
    assert text.count(reasons[1]) == 2
    assert len(fake.requests("DiscardIntervention")) == 2
    assert not fake.requests("RollbackBranch")
    assert text.count("Nothing to compare") == 2
    assert "Nothing to take back" in text
    assert "answered with the new object" not in text
    assert "no longer give" not in text
    assert own.stopped == 1


def test_a_machine_that_is_not_ready_is_told_before_anything_starts(
    own: type[_OwnServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(**_: object) -> Examination:
        broken = Part(name="disk", status="FAIL", text="0.1 GiB free", way_out="Free some.")
        return Examination(ok=False, parts=(broken, PRECISION))

    monkeypatch.setattr("knowledgesmith.client.demo.story.examine", look)
    out = io.StringIO()
    with pytest.raises(FailedPrecondition, match=r"not ready \(disk\): 0.1 GiB free.*Free some"):
        tell(settings=Settings(data_dir=tmp_path), out=Console(file=out, width=200, markup=False))
    assert own.stopped == 0


def test_estimates_follow_the_machine_and_the_facts() -> None:
    fast, slow = (Pace(pass_s=p, loop_s=x, facts=10) for p, x in ((0.004, 0.002), (0.04, 0.02)))
    for step in COSTS:
        assert slow.seconds(step) == pytest.approx(10 * fast.seconds(step))
    few, many = (Pace(pass_s=0.004, loop_s=0.002, facts=number) for number in (1, 20))
    assert {step for step in COSTS if many.seconds(step) > few.seconds(step)} == {"edit", "unlearn"}
    assert set(STEPS) == set(COSTS)


def test_what_is_over_corrects_what_is_to_come() -> None:
    measured = Pace(pass_s=0.01, loop_s=0.005, facts=10)
    before = measured.seconds("unlearn")
    measured.learn("edit", 3 * measured.seconds("edit"))
    assert 1.5 * before < measured.seconds("unlearn") <= 3 * before
    database = measured.seconds("draw")
    measured.learn("edit", 1e9)
    assert measured.seconds("draw") == database, "a slow model says nothing of the database"
    assert measured.seconds("unlearn") == pytest.approx(5 * before), "one odd step is not trusted for ever"


@pytest.mark.parametrize("figures", [{}, {"float32_seconds": 0.0}, {"float32_seconds": "x"}])
def test_without_a_measurement_there_is_still_an_estimate(figures: dict[str, float | str]) -> None:
    found = Examination(ok=True, parts=(Part(name="precision", status="OK", text="", figures=figures),))
    assert 0 < pace(found, facts=1).seconds("edit") < 1e6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "about a second"), (4.4, "about 4 s"), (41, "about 40 s"), (100, "about 1.7 min"), (900, "about 15 min")],
)
def test_durations_are_rough(seconds: float, text: str) -> None:
    assert duration(seconds) == text


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
