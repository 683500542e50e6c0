"""The server's watch over its embedded database: patience, truth of the gauge, and an end of the wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from knowledgesmith.graph_schema.embedded import EmbeddedSettings
from knowledgesmith.graph_schema.errors import DatabaseStartFailed, GraphUnavailable, InvalidInput
from knowledgesmith.graph_schema.storage.store import StoreSettings
from knowledgesmith.server import database as watched
from knowledgesmith.server.configuration import parse
from knowledgesmith.server.database import Database


class Java:
    """A database that is alive, or not."""

    def __init__(self, *, alive: bool) -> None:
        self.alive = alive
        self.stopped = False

    def is_alive(self) -> bool:
        return self.alive

    def stop(self) -> None:
        self.stopped = True


class Store:
    """Answers while its database is alive."""

    def __init__(self, java: Java) -> None:
        self.java = java

    def ping(self) -> None:
        if not self.java.alive:
            raise GraphUnavailable("Neo4j does not answer")


def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starts: list[bool]) -> tuple[list[object], list[float]]:
    """What is reported while a dead database is started again, each try with its outcome; and the patience of each."""
    dead, patience, seen = Java(alive=False), list[float](), list[object]()
    store: Any = Store(dead)
    settings = EmbeddedSettings(data_dir=tmp_path, start_timeout_s=5)
    gone: Any = dead
    database = Database(StoreSettings(uri="bolt://127.0.0.1:1"), (settings, gone))

    def start(chosen: EmbeddedSettings, *, owned: bool, given_up: Callable[[], bool]) -> Java:
        assert owned
        assert not given_up()
        patience.append(chosen.start_timeout_s)
        seen.append("starting")
        if not starts.pop(0):
            raise DatabaseStartFailed("it ended")
        store.java = java = Java(alive=True)
        return java

    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if store.java.alive:
            raise asyncio.CancelledError

    monkeypatch.setattr(watched, "start", start)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(database.keep_alive(store, seen.append, lambda: seen.append("restarted")))
    database.close()
    assert store.java.stopped
    assert pauses == sorted(pauses[:-1]) + pauses[-1:], "the pause grows until a start succeeds"
    assert pauses[-1] == min(pauses)
    return seen, patience


def test_an_outage_shows_before_the_start_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, _ = watch(tmp_path, monkeypatch, [True])
    assert seen == [False, "restarted", "starting", True]


def test_a_start_after_a_death_is_waited_for_without_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, patience = watch(tmp_path, monkeypatch, [False, False, False, True])
    assert patience == [math.inf] * 4, "whatever ends a start throws its recovery away"
    assert seen == [False, "restarted", "starting", False] * 3 + [False, "restarted", "starting", True]


@pytest.mark.parametrize(("silence", "ended"), [(250.0, False), (310.0, True)])
def test_a_database_that_lives_but_does_not_answer_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silence: float, ended: bool
) -> None:
    """As after it ran out of memory; minutes of silence may also be those of a busy machine."""
    clock = SimpleNamespace(value=0.0)
    deaf = Java(alive=True)
    deaf.stop = lambda: setattr(deaf, "alive", False)  # type: ignore[method-assign]
    started: list[str] = []

    def start(_chosen: EmbeddedSettings, *, owned: bool, given_up: Callable[[], bool]) -> Java:
        assert owned
        assert not given_up()
        started.append("again")
        return Java(alive=True)

    def ping() -> None:
        if not started:
            raise GraphUnavailable("Neo4j does not answer")

    async def sleep(_seconds: float) -> None:
        if clock.value:
            raise asyncio.CancelledError
        clock.value += silence

    monkeypatch.setattr(watched, "start", start)
    monkeypatch.setattr(watched, "time", SimpleNamespace(monotonic=lambda: clock.value))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    java: Any = deaf
    store: Any = SimpleNamespace(ping=ping)
    database = Database(StoreSettings(uri="bolt://127.0.0.1:1"), (EmbeddedSettings(data_dir=tmp_path), java))
    seen: list[bool] = []
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(database.keep_alive(store, seen.append, lambda: None))
    assert bool(started) is ended
    assert seen == ([False, False, True] if ended else [False, False])


def test_a_server_that_ends_gives_up_a_start(tmp_path: Path) -> None:
    java: Any = Java(alive=True)
    database = Database(StoreSettings(uri="bolt://127.0.0.1:1"), (EmbeddedSettings(data_dir=tmp_path), java))
    assert not database.closing
    database.close()
    assert database.closing
    assert java.stopped


@pytest.mark.parametrize(("text", "seconds"), [("30", 30.0), ("1e3", 1000.0), ("inf", math.inf)])
def test_patience_with_the_first_start_is_a_setting(
    tmp_path: Path, text: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_flag = parse(["--data-dir", str(tmp_path), "--neo4j-start-timeout", text])
    monkeypatch.setenv("KSMITH_NEO4J_START_TIMEOUT", text)
    by_environment = parse(["--data-dir", str(tmp_path)])
    assert by_flag.neo4j_start_timeout == by_environment.neo4j_start_timeout == seconds


@pytest.mark.parametrize("text", ["0", "-3", "soon", "nan", ""])
def test_no_time_is_no_patience(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="--neo4j-start-timeout"):
        parse(["--data-dir", str(tmp_path), "--neo4j-start-timeout", text])
