"""Commands whose work the server does by itself: waited for, only begun, listed, cancelled, forgotten."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith.client import KnowledgeSmith, Operation
from knowledgesmith.client._types.operations import OperationProgress
from knowledgesmith.client.cli import main
from knowledgesmith.client.cli.shared import operations
from knowledgesmith.client.cli.shared.output import console
from knowledgesmith.client.cli.shared.session import Session
from knowledgesmith.v1 import common_pb2, intervention_pb2

Run = Callable[..., Result]
LONG = [
    (("import", "--bundled", "atlas"), "ImportBundledGraph"),
    (("probes", "generate", "atlas"), "GenerateProbeSet"),
    (("probes", "sample", "s1", "-k", "2"), "SampleProbeSet"),
    (("probes", "audit", "s1"), "AuditProbeSet"),
    (("graph", "check", "broken"), "CheckGraph"),
    (("graph", "diff", "atlas", "other"), "DiffGraphs"),
    (("graph", "delete", "atlas"), "DeleteGraph"),
    (("branch", "delete", "main"), "DeleteBranch"),
    (("delete", "i1"), "DeleteIntervention"),
    (("models", "--register", "m"), "RegisterModel"),
    (("branch", "select", "main"), "SelectBranch"),
    (("rollback",), "RollbackBranch"),
    (("graph", "export", "atlas"), "CreateArchive"),
    (("export", "out"), "ExportRevision"),
]
WITH_FILES = [
    (("import", "a.csv", "--graph-id", "g"), "ImportGraph"),
    (("probes", "import", "a.jsonl"), "ImportProbeSet"),
    (("graph", "load", "a.ksmith"), "LoadArchive"),
    (("graph", "diff", "atlas", "a.ksmith"), "DiffArchive"),
]


def named(item: str | tuple[str, ...]) -> str:
    """A parameter as the name of its test has it."""
    return item if isinstance(item, str) else " ".join(item)


@pytest.fixture
def run(fake: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run ``ksmith`` against the fake server, in a folder with one file of each kind."""
    monkeypatch.setenv("KSMITH_SERVER", fake.target)
    monkeypatch.delenv("KSMITH_BRANCH", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("a.csv", "a.jsonl", "a.ksmith"):
        (tmp_path / name).write_text("x\n")
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def begun(run: Run, *words: str) -> str:
    """The name of an operation that is begun and not waited for."""
    result = run(*words, "--no-wait")
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.mark.parametrize(("words", "method"), [*LONG, *WITH_FILES], ids=named)
def test_without_waiting_the_name_is_printed(run: Run, fake: FakeServer, words: tuple[str, ...], method: str) -> None:
    name = begun(run, *words)
    assert name in fake.operations.held
    assert fake.operations.held[name].method == method
    assert not fake.operations.held[name].done
    assert not fake.requests("WaitOperation")
    told = json.loads(run(*words, "--no-wait", "--json").stdout)
    assert (told["done"], told["metadata"]["method"]) == (False, method)


@pytest.mark.parametrize(("words", "method"), WITH_FILES, ids=named)
def test_with_files_the_result_is_awaited(run: Run, fake: FakeServer, words: tuple[str, ...], method: str) -> None:
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert [held.done for held in fake.operations.held.values() if held.method == method] == [True]


def test_several_are_begun_before_one_is_awaited(run: Run, fake: FakeServer) -> None:
    names = begun(run, "probes", "sample", "s1", "-k", "2", "-k", "3").splitlines()
    assert len(set(names)) == 2
    assert names == list(fake.operations.held)
    fake.calls.clear()
    assert run("probes", "sample", "s1", "-k", "4", "-k", "5").exit_code == 0
    called = [name for name, _ in fake.calls]
    assert called[:2] == ["SampleProbeSet"] * 2
    assert set(called[2:]) == {"WaitOperation"}


def test_operations_are_listed_and_shown(run: Run, fake: FakeServer) -> None:
    first, second = begun(run, "graph", "check", "atlas"), begun(run, "rollback", "--actor", "somebody")
    listed = run("operations").stdout
    assert listed == run("operations", "list").stdout
    for piece in (first, second, "CheckGraph", "RollbackBranch", "queued", "somebody"):
        assert piece in listed
    assert len(json.loads(run("operations", "list", "--limit", "1", "--json").stdout)) == 1
    shown = json.loads(run("operations", "show", second, "--json").stdout)
    assert (shown["name"], shown["done"], shown["metadata"]["resource_id"]) == (second, False, "main")
    assert "response" not in shown
    assert run("operations", "wait", second).exit_code == 0
    shown = json.loads(run("operations", "show", second, "--json").stdout)
    assert (shown["done"], shown["response"]["head"]["id"]) == (True, "r1")
    text = run("operations", "show", second).stdout
    assert '"id": "r1"' in text
    assert "succeeded" in text
    assert not fake.operations.held[first].done


def test_the_filters_of_a_listing_reach_the_wire(run: Run, fake: FakeServer) -> None:
    for words in ((), ("--running",), ("--method", "CheckGraph"), ("--method", "CheckGraph", "--running")):
        assert run("operations", *words).exit_code == 0
    asked = [request.filter for request in fake.requests("ListOperations")]
    assert asked == ["", "done=false", "method=CheckGraph", "method=CheckGraph AND done=false"]


def test_an_operation_of_a_listing_gives_its_result(run: Run, smith: KnowledgeSmith) -> None:
    run("graph", "check", "broken")
    (listed,) = smith.operations.list()
    assert (listed.done, listed.error) == (True, None)
    assert not listed.result().sound
    assert listed.error is None


def test_the_uuid_alone_names_an_operation_too(run: Run, fake: FakeServer) -> None:
    name = begun(run, "rollback")
    result = run("operations", "wait", name.removeprefix("operations/"), "--json")
    assert json.loads(result.stdout)["branch"]["head_revision_id"] == "r2"
    assert {request.name for request in fake.requests("WaitOperation")} == {name}


def test_a_failed_operation_is_an_error_of_its_command_and_of_who_waits(run: Run, fake: FakeServer) -> None:
    failure = Failure(
        code=grpc.StatusCode.ABORTED,
        reason="REVISION_MISMATCH",
        message="The head is another one.",
        metadata={"field": "expected_revision_id", "value": "r9", "hint": "See `ksmith branch show`."},
    )
    fake.operations.outcomes["RollbackBranch"] = [failure, failure]
    result = run("rollback", "--expect", "r9")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: The head is another one. [expected_revision_id=r9]",
        "hint: See `ksmith branch show`.",
    ]
    name = begun(run, "rollback", "--expect", "r9")
    waited = run("operations", "wait", name, "--json")
    assert waited.exit_code == 1
    assert json.loads(waited.stderr)["error"]["reason"] == "REVISION_MISMATCH"
    shown = run("operations", "show", name, "--json")
    assert shown.exit_code == 0, "to show a failure is no failure"
    assert json.loads(shown.stdout)["error"]["reason"] == "REVISION_MISMATCH"
    run("graph", "check", "atlas")
    listed = run("operations").stdout
    assert (listed.count("failed"), listed.count("succeeded")) == (2, 1)
    assert json.loads(run("operations", "--json").stdout)[1]["error"]["value"] == "r9"


def test_an_operation_is_cancelled_and_forgotten(run: Run, fake: FakeServer) -> None:
    fake.operations.endless.add("CheckGraph")
    name = begun(run, "graph", "check", "atlas")
    cancelled = run("operations", "cancel", name)
    assert cancelled.exit_code == 0, cancelled.output
    assert "cancelled" in cancelled.stdout
    waited = run("operations", "wait", name)
    assert waited.exit_code == 1
    assert "cancelled at your request" in waited.stderr
    assert "forgotten" in run("operations", "delete", name).stdout
    assert not fake.operations.held
    missing = run("operations", "show", name)
    assert missing.exit_code == 1
    assert f"No operation has the name {name}." in missing.stderr


def test_who_stops_waiting_is_told_that_it_goes_on_and_how_to_end_it(
    run: Run, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Operation, "result", interrupted)
    result = run("graph", "check", "atlas")
    assert result.exit_code == 130
    (name,) = fake.operations.held
    assert f"ksmith operations wait {name}" in result.stderr
    assert f"ksmith operations cancel {name}" in result.stderr
    assert not fake.requests("CancelOperation"), "the operation runs on"
    assert not fake.operations.held[name].done


def test_a_terminal_shows_how_far_an_operation_is(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def tell(line: operations.ProgressLine, now: OperationProgress) -> None:
        line.latest = now
        shown.append(line.__rich__().plain.rpartition(" after ")[0])

    monkeypatch.setattr(operations.ProgressLine, "tell", tell)
    session = Session(server=fake.target, as_json=False, actor="tester")
    terminal = console(stderr=True)
    monkeypatch.setattr(type(terminal), "is_terminal", property(lambda _: True))
    with session.connect() as smith:
        done = operations.finish(session, lambda: smith.graphs.check(graph_id="atlas", wait=False), wait=True)
    assert done.sound
    assert shown == ["queued", "read: 4", "write facts: 2 of 8"]
    line = operations.ProgressLine(began=time.monotonic() - 3600)
    assert line.__rich__().plain.startswith("waiting for the server after 36"), "the time goes on unreported"


def test_json_and_pipes_get_no_progress(run: Run) -> None:
    for words in (("graph", "check", "atlas"), ("graph", "check", "atlas", "--json")):
        assert run(*words).stderr == ""


def test_what_a_check_finds_is_exit_code_1(run: Run) -> None:
    assert run("graph", "check", "atlas").exit_code == 0
    broken = run("graph", "check", "broken")
    assert broken.exit_code == 1
    assert "levels: japan: found Leaf; expected Root" in broken.stdout
    assert "NOT sound" in broken.stdout


def test_an_archive_is_written_and_loaded(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    result = run("graph", "export", "atlas", "--with-artefacts")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "atlas.ksmith").read_bytes() == b"an archive"
    assert fake.requests("CreateArchive")[0].with_artefacts
    run("graph", "load", "atlas.ksmith", "--graph-only", "--graph-id", "twin")
    header, *chunks = fake.requests("LoadArchive")
    assert (header.header.graph_id, header.header.graph_only) == ("twin", True)
    assert b"".join(part.chunk for part in chunks) == b"an archive"
    compared = run("graph", "diff", "atlas", "atlas.ksmith")
    assert "- facts: japan has_capital tokyo" in compared.stdout
    assert fake.requests("DiffArchive")


def test_an_archive_that_was_only_begun_is_fetched_later(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    name = begun(run, "graph", "export", "atlas")
    assert not (tmp_path / "atlas.ksmith").exists()
    result = run("graph", "download", name, "late.ksmith")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "late.ksmith").read_bytes() == b"an archive"
    assert len(fake.requests("CreateArchive")) == 1
    other = run("graph", "download", begun(run, "rollback"), "other.ksmith")
    assert other.exit_code == 1
    assert "writes no archive" in other.stderr
    assert not (tmp_path / "other.ksmith").exists()


def test_an_interrupted_export_leaves_no_file_and_says_that_the_server_goes_on(
    run: Run, fake: FakeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Operation, "result", interrupted)
    before = sorted(tmp_path.iterdir())
    result = run("graph", "export", "atlas")
    assert result.exit_code == 130
    (name,) = fake.operations.held
    assert f"ksmith graph download {name} atlas.ksmith" in result.stderr
    assert f"ksmith operations cancel {name}" in result.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_rejected_records_are_written_also_where_the_import_fails(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    words = ("import", "a.csv", "--graph-id", "g", "--strict", "--rejections", "out.jsonl")
    failure = Failure(code=grpc.StatusCode.INVALID_ARGUMENT, reason="IMPORT_REJECTED", message="One record is bad.")
    fake.operations.outcomes["ImportGraph"] = [failure]
    result = run(*words)
    assert result.exit_code == 1
    assert "One record is bad." in result.stderr
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert (row["file"], row["record"]) == ("facts.csv", 3)
    assert [request.operation for request in fake.requests("ListImportRejections")] == list(fake.operations.held)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("import", "a.csv", "--graph-id", "g", "--no-wait", "--rejections", "x"),
            "--rejections is written at the end",
        ),
        (("import", "a.csv", "--graph-id", "g", "--no-wait", "--offline"), "--no-wait"),
        (("operations", "nonsense"), "unexpected extra argument"),
        (("operations", "show"), "Missing argument"),
    ],
    ids=named,
)
def test_wrong_words_begin_nothing(run: Run, fake: FakeServer, words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not fake.calls


def test_states_and_goal_of_a_listing_reach_the_wire(run: Run, fake: FakeServer) -> None:
    assert (
        run("interventions", "--state", "running", "--state", "awaiting-decision", "--goal", "unlearn").exit_code == 0
    )
    (request,) = fake.requests("ListInterventions")
    state = intervention_pb2.InterventionState
    assert list(request.states) == [state.INTERVENTION_STATE_RUNNING, state.INTERVENTION_STATE_AWAITING_DECISION]
    assert request.goal == common_pb2.GOAL_UNLEARN
    assert run("interventions", "--state", "nowhere").exit_code == 2


def _members(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for item in value.values() for name in _members(item)}
    return {name for item in value for name in _members(item)} if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("graphs",), {"id", "head_branch_id", "entities_by_level", "level", "count"}),
        (("branch", "show", "main"), {"head_revision_id", "intervention_ids", "parent_revision_id"}),
        (("plan", "--of", "i1"), {"subject_uid", "object_uid", "probe_counts", "hop_counts", "anchor_uid"}),
        (("propagation", "i1"), {"placebo_intervention_id", "verdict_scheme", "query", "cypher", "parameters"}),
        (("propagation", "i1", "--top"), {"sequence", "entity_uid", "entity_name"}),
        (("propagation", "conflicts", "i1"), {"subject_uid", "old_object_uid", "old_object_name"}),
        (("cases", "atlas", "set:1"), {"changes", "subject_uid", "new_object_uid", "missing_uids"}),
        (("methods",), {"accepts", "goal", "target_distribution", "config_schema"}),
    ],
    ids=lambda item: " ".join(sorted(item)),
)
def test_json_calls_things_as_the_wire_does(run: Run, words: tuple[str, ...], names: set[str]) -> None:
    assert names <= _members(json.loads(run(*words, "--json").stdout))
