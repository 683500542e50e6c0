"""What is known about the database of a directory, without touching it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from knowledgesmith.graph_schema.embedded import bolt, ownership, processes
from knowledgesmith.graph_schema.embedded import login as logins
from knowledgesmith.graph_schema.embedded.files.jars import NEO4J_VERSION
from knowledgesmith.graph_schema.embedded.logs import last_lines
from knowledgesmith.graph_schema.embedded.settings import Home


class DatabaseState(StrEnum):
    """Life of an embedded database."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    ABANDONED = "abandoned"  # its owner was killed; it is being stopped


@dataclass(frozen=True, kw_only=True)
class DatabaseStatus:
    """A snapshot. Everything but ``state`` and ``data_dir`` is ``None`` when stopped.

    Attributes:
        state: where it is in its life.
        data_dir: Neo4j's home.
        uri: Bolt address.
        port: Bolt port.
        pid: process id of Java.
        owned: whether it ends with ``owner_pid``.
        owner_pid: who started it.
        started_at: when, UTC.
    """

    state: DatabaseState
    data_dir: Path
    uri: str | None = None
    port: int | None = None
    pid: int | None = None
    owned: bool | None = None
    owner_pid: int | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DatabaseInfo:
    """A status with what it costs.

    Attributes:
        status: the snapshot.
        version: Neo4j's version, of the running database or else the one that would be started.
        heap: Java heap; ``None`` when stopped.
        page_cache: page cache; ``None`` when stopped.
        memory_bytes: resident memory of Java; ``None`` when stopped.
        disk_bytes: size of all files below the data directory.
        log_file: the console log.
        user: login name; ``None`` where the database asks for none, or none was made yet.
        password: of the login.
    """

    status: DatabaseStatus
    version: str
    heap: str | None
    page_cache: str | None
    memory_bytes: int | None
    disk_bytes: int
    log_file: Path
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def status(data_dir: Path) -> DatabaseStatus:
    """Look at a directory; a directory that does not exist holds a stopped database."""
    home = Home.at(data_dir)
    record = ownership.read(home)
    if record is None or not record.is_running(home):
        return DatabaseStatus(state=DatabaseState.STOPPED, data_dir=home.root)
    return DatabaseStatus(
        state=_state(record),
        data_dir=home.root,
        uri=record.uri,
        port=record.port,
        pid=record.java.pid,
        owned=record.owned,
        owner_pid=record.owner.pid,
        started_at=record.started_at,
    )


def _state(record: ownership.Ownership) -> DatabaseState:
    if record.is_abandoned():
        return DatabaseState.ABANDONED
    answering = bolt.answers(host=record.host, port=record.port)
    return DatabaseState.RUNNING if answering else DatabaseState.STARTING


def info(data_dir: Path) -> DatabaseInfo:
    """Status, version, memory and disk of the database of a directory."""
    home, snapshot = Home.at(data_dir), status(data_dir)
    record = ownership.read(home) if snapshot.pid is not None else None
    login = logins.read(home) if record is None or record.login else None
    return DatabaseInfo(
        status=snapshot,
        version=record.version if record else NEO4J_VERSION,
        heap=record.heap if record else None,
        page_cache=record.page_cache if record else None,
        memory_bytes=processes.resident_bytes(record.java.pid) if record else None,
        disk_bytes=_size_below(home.root),
        log_file=home.console_log,
        user=login.user if login else None,
        password=login.password if login else None,
    )


def _size_below(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.lstat().st_size if not file.is_dir() else 0
        except FileNotFoundError:  # Neo4j rotates its logs meanwhile
            continue
    return total


def tail_logs(data_dir: Path, count: int = 50) -> list[str]:
    """The last ``count`` lines of the console log, oldest first."""
    return last_lines(Home.at(data_dir).console_log, count)
