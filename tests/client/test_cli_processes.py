"""Commands that start, stop or talk to processes of their own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.client.fake_server import FakeServer

from knowledgesmith.client import KnowledgeSmith
from knowledgesmith.client.cli import main
from knowledgesmith.client.local_server import LocalServer


def test_a_closed_pipe_is_no_error(fake: FakeServer) -> None:
    command = f"{sys.executable} -c 'from knowledgesmith.client.cli import main; main()'"
    words = f"watch i1 --json --server {fake.target} | head -n 1"
    done = subprocess.run(["bash", "-c", f"{command} {words}"], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_server_is_started_when_none_answers(
    fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def start(server: Any, *, on_start: Callable[[], None], **_: object) -> None:
        started.append(str(server.data_dir))
        on_start()

    monkeypatch.delenv("KSMITH_SERVER", raising=False)
    monkeypatch.setenv("KSMITH_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("knowledgesmith.client.local_server.LocalServer.start", start)

    def answers(_target: str) -> bool:
        return False

    def connect(*_: object, **__: object) -> KnowledgeSmith:
        return KnowledgeSmith(fake.target)

    monkeypatch.setattr("knowledgesmith.client.cli.shared.session.answers", answers)
    monkeypatch.setattr("knowledgesmith.client.cli.shared.session.KnowledgeSmith", connect)
    result = CliRunner().invoke(main, ["graphs", "--json"])
    assert json.loads(result.stdout)[0]["id"] == "atlas"
    assert started == [str(tmp_path)]
    assert result.stderr.startswith("starting a server at 127.0.0.1:7617")


def test_neo4j_is_handed_to_the_embedded_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def call(words: list[str]) -> int:
        called.append(words)
        return 3

    monkeypatch.setattr("knowledgesmith.client.cli.service.database.subprocess.call", call)
    result = CliRunner().invoke(main, ["neo4j", "status", "--data-dir", str(tmp_path), "--json"])
    assert result.exit_code == 3
    assert called[0][1:] == [
        "-m",
        "knowledgesmith.graph_schema",
        "status",
        "--data-dir",
        str(tmp_path / "neo4j"),
        "--json",
    ]


def test_down_without_a_server_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["down", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "No server runs" in result.stderr


def test_up_and_down_start_and_stop_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(LocalServer):
        """The same, but of the test's own module."""

        def __init__(self, **members: Any) -> None:
            chosen: dict[str, Any] = {**members, "module": "tests.client.fake_main"}
            super().__init__(**chosen)

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr("knowledgesmith.client.local_server.LocalServer", Own)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    words = ["--data-dir", str(tmp_path)]
    started = CliRunner().invoke(main, ["up", *words, "--listen", address, "--metrics", "127.0.0.1:2"])
    try:
        assert started.exit_code == 0, started.output
        assert f"serving at {address}" in started.stdout
        again = CliRunner().invoke(main, ["up", *words, "--listen", address])
        assert again.exit_code == 1
        assert "runs already" in again.stderr
        monkeypatch.setenv("KSMITH_DATA_DIR", str(tmp_path))
        monkeypatch.delenv("KSMITH_SERVER", raising=False)
        found = CliRunner().invoke(main, ["status", "--json"])
        assert json.loads(found.stdout)["target"] == address
    finally:
        stopped = CliRunner().invoke(main, ["down", *words])
    assert "stopped" in stopped.stdout
