"""Processes, locks and the guard, with a small stand-in for Java."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from knowledgesmith.graph_schema.embedded import (
    DatabaseState,
    EmbeddedSettings,
    login,
    ownership,
    processes,
    start,
    status,
    stop,
)
from knowledgesmith.graph_schema.embedded.files.locks import exclusive, try_lock, wait_lock
from knowledgesmith.graph_schema.embedded.logs import last_lines
from knowledgesmith.graph_schema.embedded.process import Spawned, spawn
from knowledgesmith.graph_schema.embedded.settings import Home
from knowledgesmith.graph_schema.errors import DatabaseStartFailed, InvalidInput, StoreOwned

_SLEEPER = [sys.executable, "-c", "import time; time.sleep(120)"]
_SOON_S = 10.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "db")
    home.create()
    return home


def _spawn(home: Home, *, owned: bool, command: Sequence[str] = _SLEEPER) -> Spawned:
    descriptor = try_lock(home.life_lock)
    assert descriptor is not None
    try:
        return spawn([*command], home=home, life_lock=descriptor, owned=owned)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("owned", [True, False])
def test_the_store_stays_locked_exactly_as_long_as_the_process_lives(home: Home, owned: bool) -> None:
    spawned = _spawn(home, owned=owned)
    assert spawned.java.is_alive()
    assert try_lock(home.life_lock) is None
    spawned.end()
    assert not spawned.java.is_alive()
    descriptor = wait_lock(home.life_lock, timeout_s=_SOON_S)
    assert descriptor is not None
    os.close(descriptor)


def test_the_process_does_not_outlive_a_killed_guard(home: Home) -> None:
    spawned = _spawn(home, owned=True)
    assert spawned.guard is not None
    spawned.guard.kill()
    assert processes.wait_gone(spawned.java, timeout_s=_SOON_S)
    spawned.end()


def test_a_guard_that_is_asked_to_end_takes_the_process_along(home: Home) -> None:
    spawned = _spawn(home, owned=True)
    assert spawned.guard is not None
    spawned.guard.terminate()
    assert processes.wait_gone(spawned.java, timeout_s=_SOON_S)
    spawned.end()


def test_a_command_that_cannot_run_is_an_error(home: Home) -> None:
    descriptor = try_lock(home.life_lock)
    assert descriptor is not None
    try:
        with pytest.raises(DatabaseStartFailed, match="no-such-program"):
            spawn([str(home.root / "no-such-program")], home=home, life_lock=descriptor, owned=True)
    finally:
        os.close(descriptor)


def test_an_operation_waits_only_so_long(home: Home) -> None:
    with exclusive(home.operation_lock, timeout_s=1):  # noqa: SIM117  # the outer one is the other process here
        with pytest.raises(StoreOwned, match="Another process"), exclusive(home.operation_lock, timeout_s=0.2):
            pass


def test_a_reused_process_id_is_not_mistaken() -> None:
    me = processes.myself()
    assert me.is_alive()
    assert not processes.ProcessIdentity(me.pid, me.started_ticks - 1).is_alive()


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen(["true"])
    found = processes.identify(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not collected
    assert processes.identify(child.pid) is None
    assert found is None or not found.is_alive()
    child.wait()


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(120)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        identity = processes.identify(child.pid)
        assert identity is not None
        assert processes.end(identity, grace_s=0.3) is False
        assert child.wait() == -signal.SIGKILL


@pytest.fixture
def foreign_java(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a Neo4j on this home which somebody started by other means."""
    arguments = ["java", "-c", "import time; time.sleep(120)", f"--home-dir={home.root}"]
    with subprocess.Popen(arguments, executable=sys.executable) as process:
        yield process
        process.kill()


def test_a_database_started_by_other_means_is_left_alone(home: Home, foreign_java: subprocess.Popen[bytes]) -> None:
    with pytest.raises(StoreOwned, match=f"Process {foreign_java.pid}"):
        start(EmbeddedSettings(data_dir=home.root), owned=True)
    assert foreign_java.poll() is None
    assert stop(home.root) is False
    assert foreign_java.poll() is None


def _use_fake_java(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    version = '[ "$1" = -version ] && { echo \'openjdk version "21"\' >&2; exit 0; }'
    program.write_text(f"#!/bin/sh\n{version}\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(folder))


def test_a_java_that_ends_shows_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_fake_java(tmp_path / "java", monkeypatch, "echo 'Error: out of luck'; exit 3")
    with pytest.raises(DatabaseStartFailed, match="ended while it was starting") as caught:
        start(EmbeddedSettings(data_dir=tmp_path / "db"), owned=True)
    assert "Error: out of luck" in str(caught.value)
    assert status(tmp_path / "db").state is DatabaseState.STOPPED


def test_what_a_starter_left_behind_without_a_record_is_ended(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.symlink_to(sys.executable)
    left = _spawn(home, owned=False, command=[str(java), *_SLEEPER[1:], f"--home-dir={home.root}"])
    _use_fake_java(tmp_path / "broken", monkeypatch, "exit 3")
    with pytest.raises(DatabaseStartFailed):  # past the lock, so the store was taken over
        start(EmbeddedSettings(data_dir=home.root), owned=True)
    assert not left.java.is_alive()


@pytest.mark.parametrize("owned", [True, False])
def test_a_java_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owned: bool) -> None:
    pid_file = tmp_path / "pid"
    _use_fake_java(tmp_path / "java", monkeypatch, f"echo $$ > '{pid_file}'; exec sleep 120")
    with pytest.raises(DatabaseStartFailed, match=r"did not answer within 0\.5 s"):
        start(EmbeddedSettings(data_dir=tmp_path / "db", start_timeout_s=0.5), owned=owned)
    assert processes.identify(int(pid_file.read_text(encoding="utf-8"))) is None
    assert (tmp_path / "db" / "owner" / "state.json").exists() is False


def test_a_slow_start_goes_on_until_nobody_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery may take any time, and is lost when the process is ended: without a limit only the caller ends it."""
    pid_file = tmp_path / "pid"
    _use_fake_java(tmp_path / "java", monkeypatch, f"echo $$ > '{pid_file}'; exec sleep 120")
    asked: list[bool] = []

    def given_up() -> bool:
        if pid_file.exists() and (pid := pid_file.read_text(encoding="utf-8").strip()):
            asked.append(processes.identify(int(pid)) is not None)
        return len(asked) == 5

    with pytest.raises(DatabaseStartFailed, match="not wanted"):
        start(EmbeddedSettings(data_dir=tmp_path / "db", start_timeout_s=math.inf), owned=True, given_up=given_up)
    assert asked == [True] * 5, "it lived as long as somebody waited"
    assert processes.identify(int(pid_file.read_text(encoding="utf-8"))) is None


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("has_one", [True, False])
def test_a_directory_with_a_login_keeps_it_and_one_without_is_given_one_when_asked(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool, has_one: bool
) -> None:
    _use_fake_java(tmp_path / "java", monkeypatch, "exit 3")
    before = login.prepare(home) if has_one else None
    with pytest.raises(DatabaseStartFailed):
        start(EmbeddedSettings(data_dir=home.root, login=asked), owned=True)
    conf = (home.config_dir / "neo4j.conf").read_text(encoding="utf-8")
    assert f"dbms.security.auth_enabled={str(asked or has_one).lower()}\n" in conf
    after = login.read(home)
    assert (after is not None) == (asked or has_one)
    assert before is None or after == before


def test_the_address_stays_the_same_over_restarts(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_fake_java(tmp_path / "java", monkeypatch, "exit 3")

    def port(asked: int | None = None) -> int:
        with pytest.raises(DatabaseStartFailed):
            start(EmbeddedSettings(data_dir=home.root, port=asked), owned=True)
        conf = (home.config_dir / "neo4j.conf").read_text(encoding="utf-8")
        return int(conf.partition("server.bolt.listen_address=")[2].splitlines()[0].rpartition(":")[2])

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        last = free.getsockname()[1]
    ownership.keep_port(home, last)
    assert port() == last
    assert port(asked=0) == last
    with socket.create_server(("127.0.0.1", 0)) as other:
        ownership.keep_port(home, other.getsockname()[1])
        assert port() != other.getsockname()[1], "another program has it now"
    for unreadable in ("no port", "", "0", "70000"):
        home.port_file.write_text(unreadable, encoding="ascii")
        assert ownership.last_port(home) is None
        assert port() > 0


@pytest.mark.parametrize("seconds", [0, -1, math.nan])
def test_patience_is_a_time(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(InvalidInput, match="start_timeout_s"):
        EmbeddedSettings(data_dir=tmp_path, start_timeout_s=seconds)


def test_nothing_runs_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert status(tmp_path / "nowhere").state is DatabaseState.STOPPED
    assert stop(tmp_path / "nowhere") is False
    assert not (tmp_path / "nowhere").exists()


def test_the_end_of_a_log_is_read_from_behind(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(20_000)), encoding="utf-8")
    assert last_lines(log, 2) == ["line 19998", "line 19999"]
    assert len(last_lines(log, 15_000)) == 15_000
    assert last_lines(log, 0) == []
    assert last_lines(tmp_path / "none", 5) == []
