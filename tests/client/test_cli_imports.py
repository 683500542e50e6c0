"""``ksmith import``: what is sent, what of the report is shown, and how bad records are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from click.testing import CliRunner, Result
from google.protobuf import json_format
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure

from knowledgesmith.client.cli import main
from knowledgesmith.v1 import graph_pb2

Run = Callable[..., Result]


@pytest.fixture
def run(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``ksmith`` against the fake server."""
    monkeypatch.setenv("KSMITH_SERVER", fake.target)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


def output(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def value(result: Result) -> Any:
    return json.loads(output(result))


def test_import_takes_roles_from_names_and_options(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    for name in ("entities.csv", "stuff.csv"):
        (tmp_path / name).write_text("a,b\n")
    result = run("import", tmp_path / "entities.csv", "--facts", tmp_path / "stuff.csv", "--graph-id", "g", "--dry-run")
    assert "nothing written" in output(result)
    assert fake.requests("ImportGraph")[0].header.validate_only
    assert [part.chunk.role for part in fake.requests("ImportGraph")[1:]] == [
        graph_pb2.FILE_ROLE_UNSPECIFIED,
        graph_pb2.FILE_ROLE_FACTS,
    ]


def test_import_hands_format_and_options_on(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    out = tmp_path / "out.jsonl"
    words = ["import", tmp_path, "--graph-id", "g", "--format", "triples", "--strict", "--rejections", out]
    shown = output(run(*words, "--option", "separator=;", "--option", 'columns=["a", "b"]'))
    header = fake.requests("ImportGraph")[0].header
    assert (header.format, header.strict) == ("triples", True)
    assert json_format.MessageToDict(header.options) == {"separator": ";", "columns": ["a", "b"]}
    assert json.loads(out.read_text("utf-8")) == {"file": "facts.csv", "record": 3, "reason": "no such \x1b[31mentity"}
    assert "1 records rejected" in shown
    assert "\x1b" not in shown
    for bad in ("x", "=1", "a=[1"):
        assert "--option" in run(*words, "--option", bad).stderr


def test_import_lists_its_formats(run: Run) -> None:
    assert ".obo" in output(run("import", "--formats"))


def test_a_list_of_formats_starts_nothing(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KSMITH_SERVER")
    monkeypatch.setenv("KSMITH_DATA_DIR", str(tmp_path / "data"))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a server was started")

    monkeypatch.setattr("knowledgesmith.client.local_server.LocalServer.start", refuse)
    found = {importer["name"]: importer for importer in value(run("import", "--formats", "--json"))}
    assert {"obo", "rdf", "sheet", "tables", "tree"} <= set(found)
    assert "separator" in {option["name"] for option in found["sheet"]["options"]}
    assert not (tmp_path / "data").exists()


def test_an_import_says_how_files_were_read_and_what_it_noted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,r,b\n")
    words = ["import", tmp_path / "mine.csv", "--graph-id", "g"]
    shown = output(run(*words))
    assert "mine.csv: subject=column 1; 64 facts" in shown
    line = next(line for line in shown.splitlines() if "stated more than once" in line)
    assert line.split()[0] == "7"
    assert "mine.csv:3: 'a' r 'b'" in line
    assert "\x1b" not in shown
    doubled = value(run(*words, "--json"))["report"]["findings"][1]
    assert (doubled["kind"], doubled["count"], doubled["examples"][0]["record"]) == ("doubled", 7, 3)


def test_every_bad_row_of_an_import_is_named(run: Run, fake: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "facts.csv").write_text("x\n")
    rows = {f"row_{number}": f"facts.csv:{number + 2}: no such entity" for number in (0, 1, 10, 2)}
    failure = Failure(code=grpc.StatusCode.INVALID_ARGUMENT, reason="IMPORT_REJECTED", message="bad", metadata=rows)
    fake.failures["ImportGraph"] = [failure]
    lines = run("import", tmp_path / "facts.csv", "--graph-id", "g").stderr.splitlines()
    assert [line.strip() for line in lines[1:]] == [rows["row_1"], rows["row_2"], rows["row_10"]]


def test_of_many_bad_rows_the_first_are_shown_once_and_the_rest_counted(
    run: Run, fake: FakeServer, tmp_path: Path
) -> None:
    (tmp_path / "facts.csv").write_text("x\n")
    rows = {f"row_{number}": f"facts.csv:{number}: no such entity" for number in range(40)}
    metadata = {**rows, "bad_rows": "65"}
    failure = Failure(code=grpc.StatusCode.INVALID_ARGUMENT, reason="IMPORT_REJECTED", message="bad", metadata=metadata)
    fake.failures["ImportGraph"] = [failure]
    lines = [line.strip() for line in run("import", tmp_path / "facts.csv", "--graph-id", "g").stderr.splitlines()]
    assert lines[1:20] == [rows[f"row_{number}"] for number in range(1, 20)]
    assert lines[20] == "\u2026 and 45 more; --rejections FILE writes them all"
