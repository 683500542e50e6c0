"""The real Neo4j as a process: two owners in a row on one data directory."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, LiteralString

import neo4j
import pytest

from knowledgesmith.graph_schema.embedded import (
    NEO4J_VERSION,
    DatabaseState,
    EmbeddedSettings,
    info,
    login,
    ownership,
    processes,
    start,
    status,
    stop,
    tail_logs,
)
from knowledgesmith.graph_schema.embedded.settings import Home
from knowledgesmith.graph_schema.errors import PortTaken, StoreOwned, TooLarge
from knowledgesmith.graph_schema.storage.store import GraphStore, StoreSettings

_OTHER_PROCESS = """
import json, sys
from pathlib import Path
from knowledgesmith.graph_schema.embedded import EmbeddedSettings, start
settings = EmbeddedSettings(data_dir=Path(sys.argv[1]), heap="512m", page_cache="128m", short_lived=True)
database = start(settings, owned=sys.argv[2] == "owned")
print(json.dumps({"uri": database.uri, "pid": database.pid, "ours": database.started_by_us}), flush=True)
sys.stdin.read()
"""
_KILLED_JAVA_ENDS_WITHIN_S = 30.0


@contextmanager
def _other_process(folder: Path, mode: str) -> Generator[tuple[subprocess.Popen[bytes], dict[str, Any]], None, None]:
    command = [sys.executable, "-c", _OTHER_PROCESS, str(folder), mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())


def _run(uri: str, query: LiteralString, auth: tuple[str, str] | None = None) -> list[Any]:
    with neo4j.GraphDatabase.driver(uri, auth=auth) as driver:
        return [record.value() for record in driver.execute_query(query).records]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("database") / "with a space"
    yield folder
    stop(folder)


def _settings(folder: Path, port: int | None = None) -> EmbeddedSettings:
    return EmbeddedSettings(data_dir=folder, port=port, heap="512m", page_cache="128m", short_lived=True)


def test_an_owned_database_is_shared_and_ends_with_its_killed_owner(folder: Path) -> None:
    with _other_process(folder, "owned") as (owner, seen):
        java = processes.identify(seen["pid"])
        assert java is not None
        with start(_settings(folder), owned=True) as attached:
            assert (attached.uri, attached.pid, attached.started_by_us) == (seen["uri"], seen["pid"], False)
        assert attached.is_alive()  # leaving the block of an attached handle stops nothing
        with pytest.raises(StoreOwned, match=f"Process {owner.pid} owns"):
            stop(folder)
        with pytest.raises(StoreOwned, match=f"already runs on port {attached.port}"):
            start(_settings(folder, port=attached.port + 1), owned=True)
        assert _run(attached.uri, "CREATE (n:Kept {value: 42}) RETURN n.value") == [42]
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        assert processes.wait_gone(java, timeout_s=_KILLED_JAVA_ENDS_WITHIN_S)
    assert status(folder).state is DatabaseState.STOPPED
    assert processes.find_by_home(folder.resolve()) is None


def test_a_detached_database_outlives_its_starter_and_has_the_old_data(folder: Path) -> None:
    with _other_process(folder, "detached") as (starter, seen):
        os.kill(starter.pid, signal.SIGKILL)
        starter.wait()
    running = status(folder)
    assert (running.state, running.uri, running.owned) == (DatabaseState.RUNNING, seen["uri"], False)
    with start(_settings(folder), owned=False) as attached:
        assert (attached.uri, attached.version, attached.started_by_us) == (seen["uri"], NEO4J_VERSION, False)
    assert _run(seen["uri"], "MATCH (n:Kept) RETURN n.value") == [42]


def test_what_it_costs_and_says(folder: Path) -> None:
    found = info(folder)
    assert found.status.state is DatabaseState.RUNNING
    assert (found.version, found.heap, found.page_cache) == (NEO4J_VERSION, "512m", "128m")
    assert found.memory_bytes is not None
    assert found.memory_bytes > 100 << 20
    assert found.disk_bytes > 100 << 10
    assert any("Started." in line for line in tail_logs(folder, 20))


@pytest.mark.parametrize(
    "query",
    [
        "RETURN size(reduce(s = 'aaaaaaaaaaaaaaaa', x IN range(1, 26) | s + s)) AS n",
        "RETURN [x IN range(1, 200000000) | toString(x)] AS n",
        "UNWIND range(1, 100000000) AS x RETURN collect(toString(x) + 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') AS n",
    ],
)
def test_no_query_ends_the_database_by_asking_for_memory(folder: Path, query: str) -> None:
    uri = status(folder).uri
    assert uri is not None
    pid = status(folder).pid
    store = GraphStore.connect(StoreSettings(uri=uri))
    try:
        with pytest.raises(TooLarge):
            store.run_user_query(query, {}, limit=1, timeout_s=600)
        assert store.run_user_query("MATCH (n:Kept) RETURN n.value AS v", {}, limit=1, timeout_s=600)[1] == [{"v": 42}]
    finally:
        store.close()
    assert status(folder).pid == pid, "the process that was there before"


def test_queries_reach_neither_files_nor_addresses(folder: Path) -> None:
    uri = status(folder).uri
    assert uri is not None
    with pytest.raises(neo4j.exceptions.ClientError, match="Cannot load from URL"):
        _run(uri, "LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line")
    with pytest.raises(neo4j.exceptions.ClientError, match=r"access to /127.0.0.1 is blocked"):
        _run(uri, "LOAD CSV FROM 'http://127.0.0.1:1/x' AS line RETURN line")


def test_stopping_a_detached_database(folder: Path) -> None:
    pid = status(folder).pid
    assert pid is not None
    java = processes.identify(pid)
    assert java is not None
    assert stop(folder) is True
    assert not java.is_alive()
    assert status(folder).state is DatabaseState.STOPPED
    assert stop(folder) is False


def test_a_taken_port_stops_the_start_and_frees_the_store(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken):
            start(_settings(folder, port=port), owned=True)
    assert ownership.last_port(Home.at(folder)) != port
    assert status(folder).state is DatabaseState.STOPPED


@pytest.mark.parametrize("lost", [False, True])
def test_a_directory_with_data_is_given_a_login(folder: Path, lost: bool) -> None:
    """It ran without one until now, and then (``lost``) with one that nobody has any more."""
    home = Home.at(folder)
    earlier = login.read(home)
    assert (earlier is not None) == lost
    if lost:
        home.login_file.unlink()
    with start(replace(_settings(folder), login=True), owned=True) as database:
        assert _run(database.uri, "MATCH (n:Kept) RETURN count(n)", (database.user, database.password)) == [1]
        wrong = [None, ("neo4j", "neo4j"), *([(earlier.user, earlier.password)] if earlier else [])]
        for auth in wrong:
            with pytest.raises(neo4j.exceptions.AuthError):
                _run(database.uri, "RETURN 1", auth)
        assert database.password not in repr(database)
        with start(_settings(folder), owned=True) as attached:
            assert (attached.user, attached.password) == (database.user, database.password)
        assert database.started_by_us
        assert ownership.last_port(home) == database.port, "the next start takes it again"
        assert stop(folder) is True  # the owner may also stop it by its folder
        assert not database.is_alive()


def test_the_shared_server_of_the_test_run_answers(neo4j_uri: str, graph_id: str) -> None:
    assert graph_id.startswith("t_")
    assert _run(neo4j_uri, "RETURN 1") == [1]
