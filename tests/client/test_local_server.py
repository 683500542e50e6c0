"""A server of one's own: started once, found again, stopped; what goes wrong is said."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from tests.client.fake_server import FakeServer

from knowledgesmith.client import FailedPrecondition, NotFound, Unavailable
from knowledgesmith.client.local_server import LocalServer, answers, default_data_dir


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return LocalServer(
        data_dir=tmp_path / "data", target=free_address(), metrics="127.0.0.1:2", module="tests.client.fake_main"
    )


def test_it_is_started_once_found_and_stopped(server: LocalServer) -> None:
    told: list[str] = []
    started = server.start(on_start=lambda: told.append("starting"), timeout_s=60)
    try:
        assert told == ["starting"]
        assert answers(server.target)
        assert server.running() == started
        with pytest.raises(FailedPrecondition, match="runs already"):
            server.start()
    finally:
        stopped = server.stop(timeout_s=30)
    assert stopped.pid == started.pid
    assert server.running() is None
    assert not answers(server.target)
    assert not (server.data_dir / "server.json").exists()


def test_the_last_words_of_a_failed_start_are_told(server: LocalServer) -> None:
    broken = LocalServer(
        data_dir=server.data_dir, target=server.target, metrics="127.0.0.1:1", module="tests.client.fake_main"
    )
    with pytest.raises(Unavailable, match="the metrics port is taken") as caught:
        broken.start(timeout_s=60)
    assert str(broken.log) in caught.value.hint
    assert broken.running() is None


def test_an_address_in_use_is_refused(server: LocalServer) -> None:
    with FakeServer() as other, pytest.raises(FailedPrecondition, match="Something else") as caught:
        LocalServer(data_dir=server.data_dir, target=other.target, module="tests.client.fake_main").start()
    assert caught.value.reason == "PORT_TAKEN"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', None])
def test_a_stale_or_broken_record_counts_as_no_server(server: LocalServer, content: str | None) -> None:
    server.data_dir.mkdir()
    running = {"pid": os.getpid(), "target": "t", "metrics": "m", "log": "l"}
    text = json.dumps(running) if content is None else content  # our own pid: alive, but no server
    (server.data_dir / "server.json").write_text(text)
    assert server.running() is None
    with pytest.raises(NotFound):
        server.stop()


def test_the_data_directory_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSMITH_DATA_DIR", str(tmp_path))
    assert default_data_dir() == tmp_path
    monkeypatch.delenv("KSMITH_DATA_DIR")
    assert default_data_dir().name == "knowledgesmith"


def test_nonsense_addresses_do_not_answer() -> None:
    assert not answers("nonsense")
    assert not answers("127.0.0.1:notaport")
