"""The commands against the fake server: tables, JSON, errors on one line, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import click
import grpc
import pytest
from click.testing import CliRunner, Result
from tests.client import wire
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure, State

from knowledgesmith.client import Intervention
from knowledgesmith.client._wire.fill import read
from knowledgesmith.client.cli import ENTRIES, SECTIONS, main
from knowledgesmith.client.demo import Settings
from knowledgesmith.v1 import common_pb2, error_pb2, intervention_pb2

Run = Callable[..., Result]


@pytest.fixture
def run(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``ksmith`` against the fake server."""
    monkeypatch.setenv("KSMITH_SERVER", fake.target)
    monkeypatch.delenv("KSMITH_BRANCH", raising=False)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def output(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def value(result: Result) -> Any:
    return json.loads(output(result))


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found: list[tuple[str, ...]] = []
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        found += leaves(child, (*path, name))
    return found


def test_the_table_of_commands_is_true() -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(ENTRIES)
    for name, entry in ENTRIES.items():
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.help == entry.help, name


@pytest.mark.parametrize("path", leaves(main), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0
    if path[0] != "demo":
        assert "--json" in result.output
    if path[0] not in ("config", "demo", "doctor", "neo4j"):
        assert "--server" in result.output


JSON_COMMANDS = [
    ("status",),
    ("cypher", "RETURN 1"),
    ("import", "--bundled", "atlas"),
    ("graphs",),
    ("probes", "generate", "atlas", "--kind", "direct"),
    ("probes", "list", "atlas"),
    ("probes", "show", "s1"),
    ("models",),
    ("models", "--register", "m", "--path", "p"),
    ("methods",),
    ("branch", "create", "b", "--model", "m", "--graph", "g", "--select"),
    ("branch", "list"),
    ("branch", "show", "main"),
    ("branch", "select", "main"),
    ("plan", "Japan", "has_capital", "Paris"),
    ("plan", "--unlearn", "Japan", "has_capital"),
    ("plan", "--of", "i1"),
    ("plan", "--move", "Japan", "--under", "Asia"),
    ("edit", "--insert-entity", "atlantis", "--name", "Atlantis", "--parent", "Europe", "--no-wait"),
    ("unlearn", "--delete-node", "Japan", "--subtree", "--no-wait"),
    ("edit", "Japan", "has_capital", "Paris"),
    ("edit", "Japan", "has_capital", "Tokyo", "Paris", "--no-wait"),
    ("unlearn", "Japan", "has_capital"),
    ("interventions",),
    ("interventions", "--state", "running", "--state", "awaiting-decision", "--goal", "edit"),
    ("operations",),
    ("operations", "list"),
    ("graph", "show", "atlas"),
    ("graph", "versions", "atlas"),
    ("graph", "diff", "atlas", "other"),
    ("graph", "check", "atlas"),
    ("graph", "homonyms", "atlas"),
    ("graph", "delete", "atlas", "--force"),
    ("branch", "delete", "main"),
    ("probes", "delete", "s1"),
    ("delete", "i1"),
    ("relations", "atlas"),
    ("relations", "atlas", "--suggest"),
    ("relations", "atlas", "--withdraw", "inverse:has_capital|capital_of"),
    ("relations", "atlas", "has_capital", "--direct", "The capital of {s} is"),
    ("probes", "sample", "s1", "-k", "2", "-k", "3"),
    ("commit", "i1"),
    ("discard", "i1"),
    ("cancel", "i1"),
    ("cases", "atlas"),
    ("cases", "atlas", "set:1"),
    ("edit", "--case", "set:1", "--no-wait"),
    ("plan", "--case", "set:1", "--round", "2"),
    ("ask", "The capital of Japan is"),
    ("ask", "--before", "The capital of Japan is"),
    ("propagation", "i1", "--by", "kind"),
    ("propagation", "i1", "--top"),
    ("rollback",),
    ("export", "out", "--format", "peft"),
]


@pytest.mark.parametrize("words", JSON_COMMANDS, ids=" ".join)
def test_every_command_prints_json_and_text(run: Run, words: tuple[str, ...]) -> None:
    assert value(run(*words, "--json")) is not None
    text = output(run(*words))
    assert text.strip()
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        json.loads(text)


def test_cypher_prints_a_table_without_control_characters(run: Run, fake: FakeServer) -> None:
    text = output(run("cypher", "MATCH (n) RETURN n", "--params", '{"a": 1}', "--max-rows", "5"))
    assert "Japan" in text
    assert "\x1b" not in text
    assert fake.requests("RunCypher")[0].max_rows == 5


def test_a_plan_is_a_tree_of_proofs_with_names(run: Run) -> None:
    lines = output(run("plan", "--of", "i1")).splitlines()
    assert "- Japan has_capital paris   by functional" in lines[1]
    assert "+ Japan has_capital paris   asked for" in lines[2]
    assert "Tokyo city_of Japan   asserted" in lines[3]
    assert "no cheaper choice exists" in "\n".join(lines)


def test_structural_changes_reach_the_wire(run: Run, fake: FakeServer) -> None:
    run("edit", "--move", "Japan", "--under", "Asia", "--from", "Europe", "--by", "on_continent", "--no-wait")
    new = ("--insert-entity", "atlantis", "--name", "Atlantis", "--type", "Country", "--parent", "Europe")
    run("edit", *new, "Japan", "has_capital", "Paris", "--no-wait")
    run("unlearn", "--delete-node", "Japan", "--subtree", "--no-wait")
    moved, inserted, deleted = (request.spec for request in fake.requests("CreateIntervention"))
    move = moved.structural[0].move_subtree
    assert (move.entity, move.new_parent, move.old_parent, move.relation) == ("Japan", "Asia", "Europe", "on_continent")
    entity = inserted.structural[0].insert_entity
    assert (entity.uid, entity.name, entity.type, list(entity.parents)) == (
        "atlantis",
        "Atlantis",
        "Country",
        ["Europe"],
    )
    assert len(inserted.changes) == 1
    assert deleted.structural[0].delete_node.subtree
    assert not deleted.changes


def test_edit_streams_and_sums_up(run: Run, fake: FakeServer) -> None:
    text = output(run("edit", "Japan", "has_capital", "Paris", "--show", "2"))
    assert text.count("Entity ") == 2
    assert "0.750 → 0.250 (-0.500)" in text
    assert "intervention i1: succeeded, 6 of 6 ledger rows" in text
    assert "ksmith propagation i1" in text
    assert fake.metadata[0]["x-ksmith-actor"]


def test_every_option_of_a_change_arrives(run: Run, fake: FakeServer) -> None:
    options = ("--method", "finetune", "--config", "lr=0.5", "--config", "note=plain text", "--target", "new_object")
    more = ("--seed", "9", "--scorer", "cloze-sum", "--hold", "--gate", "collateral<=0.05", "--gate", "propagated>=.8")
    rest = ("--max-probes", "50", "--install-derived", "--branch", "other", "--expect", "r1", "--no-wait")
    output(run("edit", "Japan", "has_capital", "Tokyo", "Paris", *options, *more, *rest))
    request = fake.requests("CreateIntervention")[0]
    spec = request.spec
    assert dict(spec.method_config) == {"lr": 0.5, "note": "plain text"}
    assert (spec.method, spec.seed, spec.hold, spec.max_probes) == ("finetune", 9, True, 50)
    assert spec.scorer == intervention_pb2.SCORER_CLOZE_SUM
    assert [(gate.metric, gate.max, gate.min) for gate in spec.gates] == [
        (intervention_pb2.GATE_METRIC_COLLATERAL, 0.05, 0),
        (intervention_pb2.GATE_METRIC_PROPAGATED, 0, 0.8),
    ]
    assert spec.target_distribution == common_pb2.TARGET_DISTRIBUTION_NEW_OBJECT
    assert (spec.branch_id, request.expected_revision_id, spec.install_derived) == ("other", "r1", True)
    assert (spec.changes[0].old_object, spec.changes[0].new_object) == ("Tokyo", "Paris")


def test_a_batch_file_becomes_one_intervention(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    batch = tmp_path / "facts.jsonl"
    rows = [{"subject": f"s{n}", "relation": "r", "new_object": "o"} for n in range(3)]
    batch.write_text("\n\n".join(json.dumps(row) for row in rows))
    output(run("edit", "--batch", batch, "--no-wait"))
    assert [change.subject for change in fake.requests("CreateIntervention")[0].spec.changes] == ["s0", "s1", "s2"]


GOOD = '{"subject": "s", "relation": "r", "new_object": "o"}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "must be a JSON object"),
        ('{"subject": "s", "relation": "r"}', "new_object is missing"),
        ('{"subject": "", "relation": "r", "new_object": "o"}', "subject is missing"),
        ('{"subject": 3, "relation": "r", "new_object": "o"}', "subject must be a string"),
        ('{"subject": "s", "relation": "r", "object": "o"}', "unknown member 'object'"),
    ],
)
def test_a_bad_line_of_a_batch_is_named(run: Run, fake: FakeServer, tmp_path: Path, line: str, message: str) -> None:
    batch = tmp_path / "facts.jsonl"
    batch.write_text(f"{GOOD}\n\n{line}\n{GOOD}\n")
    result = run("edit", "--batch", batch)
    assert result.exit_code == 2
    assert f"facts.jsonl:3: {message}" in result.stderr.replace("\n", "")
    assert not fake.calls


def test_batches_that_hold_nothing_or_no_text_are_refused(run: Run, tmp_path: Path) -> None:
    batch = tmp_path / "facts.jsonl"
    batch.write_text("\n")
    assert "holds no change" in run("unlearn", "--batch", batch).stderr
    batch.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in run("unlearn", "--batch", batch).stderr
    batch.write_text(GOOD)
    assert "not allowed when unlearning" in run("unlearn", "--batch", batch).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("edit", "Japan", "has_capital"),
        ("edit", "a", "b", "c", "d", "e"),
        ("edit",),
        ("unlearn", "Japan"),
        ("edit", "a", "b", "c", "--gate", "collateral<5%"),
        ("edit", "a", "b", "c", "--gate", "joy<=1"),
        ("edit", "a", "b", "c", "--config", "novalue"),
        ("edit", "a", "b", "c", "--target", "sideways"),
        ("ask",),
        ("ask", "--before", "--revision", "r1", "x"),
        ("import",),
        ("import", "--bundled", "atlas", "--dry-run"),
        ("plan", "a", "b", "c", "--of", "i1"),
        ("plan", "--move", "a", "--under", "b", "--of", "i1"),
        ("edit", "--move", "a"),
        ("edit", "--under", "b", "a", "b", "c"),
        ("edit", "--delete-node", "a"),
        ("unlearn", "--move", "a", "--under", "b"),
        ("unlearn", "a", "b", "--subtree"),
        ("edit", "--insert-entity", "a"),
        ("edit", "a", "b", "c", "--parent", "d"),
        ("models", "--path", "p"),
        ("methods", "nonsense"),
        ("picture", "i1", "--out", "x.png"),
        ("cypher", "RETURN 1", "--max-rows", "5000"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_usage_errors_are_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Error:" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_error_is_one_line_and_a_hint(run: Run, fake: FakeServer) -> None:
    metadata = {"field": "graph_id", "value": "'x\x1b[2J'", "hint": "See `ksmith graphs`."}
    failure = Failure(
        code=grpc.StatusCode.NOT_FOUND, reason="GRAPH_NOT_FOUND", message="No such\ngraph.", metadata=metadata
    )
    fake.failures["GenerateProbeSet"] = [failure, failure]
    result = run("probes", "generate", "x")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: No such graph. [graph_id='x\ufffd[2J']",
        "hint: See `ksmith graphs`.",
    ]
    result = run("probes", "generate", "x", "--json")
    assert json.loads(result.stderr)["error"]["reason"] == "GRAPH_NOT_FOUND"
    assert result.stdout == ""


def test_no_server_at_a_named_address_is_an_error() -> None:
    result = CliRunner().invoke(main, ["graphs", "--server", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: No server answers")


def test_a_failed_intervention_is_exit_code_1(run: Run, fake: FakeServer) -> None:
    failed = wire.state(
        State.INTERVENTION_STATE_FAILED, error_reason=error_pb2.ERROR_REASON_EDIT_DIVERGED, error_message="It exploded."
    )
    fake.watches = [[failed], [failed]]
    result = run("edit", "Japan", "has_capital", "Paris")
    assert result.exit_code == 1
    assert "error: It exploded." in result.stderr
    assert run("watch", "i1").exit_code == 1


def test_a_held_intervention_says_how_to_decide(run: Run, fake: FakeServer) -> None:
    held = wire.state(State.INTERVENTION_STATE_AWAITING_DECISION, failed_gates=["collateral<=0.05"])
    fake.watches = [[held]]
    text = output(run("edit", "Japan", "has_capital", "Paris", "--gate", "collateral<=0.05"))
    assert "failed gates: collateral<=0.05" in text
    assert "ksmith commit i1" in text


def test_watch_prints_one_event_a_line(run: Run) -> None:
    events = [json.loads(line) for line in output(run("watch", "i1", "--json")).splitlines()]
    assert [event["event"] for event in events] == ["state", "progress", "batch", "heartbeat", "batch", "state"]
    assert events[2]["data"]["changes"][0]["sequence"] == 1


def test_several_branches_must_be_chosen_from(run: Run, fake: FakeServer) -> None:
    fake.branches = ("one", "two")
    result = run("ask", "hello")
    assert result.exit_code == 1
    assert "one, two" in result.stderr
    fake.branches = ()
    assert "ksmith branch create" in run("ask", "hello").stderr


def test_ask_before_shows_base_parent_and_head(run: Run) -> None:
    found = value(run("ask", "--before", "The capital of Japan is", "--json"))
    assert {name: answer["texts"] for name, answer in found.items()} == {
        "base": [" Tokyo."],
        "parent": [" Tokyo."],
        "head": [" Paris."],
    }


def test_propagation_prints_the_query_to_paste(run: Run) -> None:
    assert output(run("propagation", "i1", "--cypher")) == (
        ':param {id: "i1"};\nMATCH (i:Intervention {id: $id}) RETURN i;\n'
    )
    table = output(run("propagation", "i1"))
    assert "66.7 % [10–90] n=3" in table
    assert "unreachable" in table


@pytest.mark.parametrize("name", ["out.html", "out.svg"])
def test_picture_writes_a_file(run: Run, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    assert str(target) in output(run("picture", "i1", "--out", target))
    text = target.read_text("utf-8")
    ET.fromstring(text.removeprefix("<!DOCTYPE html>\n"))  # noqa: S314 - our own file
    assert "<script" not in text


def test_picture_to_a_place_that_is_not_there_is_one_line(run: Run, tmp_path: Path) -> None:
    result = run("picture", "i1", "--out", tmp_path / "nowhere" / "out.svg")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: No such file or directory")


def test_parameters_must_be_an_object(run: Run) -> None:
    assert "not JSON" in run("cypher", "RETURN 1", "--params", "{").stderr
    assert "JSON object" in run("cypher", "RETURN 1", "--params", "[]").stderr


def test_an_unexpected_error_shows_no_trace(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("knowledgesmith.client._sync.graphs.Graphs.list", broken)
    result = run("graphs")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "error: RuntimeError: boom"
    monkeypatch.setenv("KSMITH_DEBUG", "1")
    assert isinstance(run("graphs").exception, RuntimeError)


def test_an_interrupted_wait_says_how_to_go_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("knowledgesmith.client.cli.interventions.change.follow", interrupted)
    result = run("edit", "Japan", "has_capital", "Paris")
    assert result.exit_code == 130
    assert "ksmith watch i1" in result.stderr


def test_status_shows_what_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    phase = intervention_pb2.PHASE_MEASURE_AFTER
    running = read(Intervention, wire.intervention(State.INTERVENTION_STATE_RUNNING, phase=phase))

    def listed(*_: object, **__: object) -> list[Intervention]:
        return [running]

    monkeypatch.setattr("knowledgesmith.client._sync.interventions.Interventions.list", listed)
    text = output(run("status"))
    assert "running" in text
    assert "measure after" in text
    assert "Neo4j    bolt://127.0.0.1:7687 (embedded)" in text


def test_a_method_shows_its_schema(run: Run) -> None:
    assert json.loads(output(run("methods", "alphaedit"))) == {"type": "object"}


def test_demo_hands_its_options_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Settings] = []

    def tell(*, settings: Settings, out: object) -> None:
        told.append(settings)

    monkeypatch.setattr("knowledgesmith.client.cli.service.demo.tell", tell)
    words = ["--data-dir", str(tmp_path), "--facts", "3", "--edit-method", "finetune"]
    assert CliRunner().invoke(main, ["demo", *words]).exit_code == 0
    assert told == [Settings(data_dir=tmp_path, facts=3, edit_method="finetune")]
