"""Start, attach to and stop the one database of a data directory.

Two locks guard a directory. ``operation.lock`` is held while somebody starts or stops it. ``life.lock`` is inherited by
Java itself, so it is held exactly as long as a Java uses the store, whoever was killed in whichever way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from knowledgesmith.graph_schema.embedded import bolt, ownership, processes
from knowledgesmith.graph_schema.embedded import login as logins
from knowledgesmith.graph_schema.embedded.config import java_command, neo4j_settings, write_config
from knowledgesmith.graph_schema.embedded.files.jars import NEO4J_VERSION, ensure_jars
from knowledgesmith.graph_schema.embedded.files.locks import exclusive, try_lock, wait_lock
from knowledgesmith.graph_schema.embedded.java import find_java
from knowledgesmith.graph_schema.embedded.ownership import Ownership
from knowledgesmith.graph_schema.embedded.process import STOP_GRACE_S, Spawned, await_bolt, spawn
from knowledgesmith.graph_schema.embedded.settings import EmbeddedSettings, Home
from knowledgesmith.graph_schema.errors import PortTaken, StoreOwned

_OPERATION_TIMEOUT_S: Final = 1800  # somebody else may be starting it, with a recovery
_LOCK_RELEASE_S: Final = 5


class RunningDatabase:
    """A Neo4j that answers on Bolt; as a context manager it stops at the end of the block.

    Attributes:
        uri: address for a driver.
        user: login name; empty where the database asks for none.
        password: of the login.
        port: Bolt port.
        pid: process id of Java.
        data_dir: Neo4j's home.
        version: Neo4j's version.
        started_by_us: ``False`` for a handle on a database that somebody else runs; such a handle never stops it.
        start_seconds: how long ``start`` took.
    """

    def __init__(
        self, record: Ownership, *, home: Home, spawned: Spawned | None = None, start_seconds: float = 0.0
    ) -> None:
        self.uri = record.uri
        self.port = record.port
        self.pid = record.java.pid
        self.data_dir = home.root
        self.version = record.version
        self.started_by_us = spawned is not None
        self.start_seconds = start_seconds
        login = logins.read(home) if record.login else None
        self.user = login.user if login else ""
        self.password = login.password if login else ""
        self._home = home
        self._record = record
        self._spawned = spawned

    def is_alive(self) -> bool:
        """Whether the Java process still runs."""
        return self._record.is_running(self._home)

    def stop(self) -> None:
        """Stop the database if this handle started it, and wait until it has ended. May be called again."""
        spawned, self._spawned = self._spawned, None
        if spawned is not None:
            with exclusive(self._home.operation_lock, timeout_s=_OPERATION_TIMEOUT_S):
                spawned.end()
                if ownership.read(self._home) == self._record:
                    ownership.forget(self._home)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"RunningDatabase(uri={self.uri!r}, pid={self.pid}, data_dir={str(self.data_dir)!r})"


def start(settings: EmbeddedSettings, *, owned: bool, given_up: Callable[[], bool] = lambda: False) -> RunningDatabase:
    """Start the database of ``settings.data_dir``, or attach to it where it already runs.

    Where no port is asked for, it is the last one of this directory, so that other tools keep the address; a free one
    where another program has taken it since.

    Args:
        settings: where, how large, on which port, and how long to wait.
        owned: end it with this process, however this process ends. Otherwise it runs until ``stop``.
        given_up: asked again and again while it starts; once true, the start is ended.

    Raises:
        InvalidInput: it would listen beyond loopback.
        PortTaken: another program has the port.
        StoreOwned: a database that is not ours uses the directory, or ours runs on another port.
        JavaNotFound: no Java 17 or 21.
        JarsUnavailable: Neo4j could not be fetched.
        DatabaseStartFailed: it ended, or did not answer in time.
    """
    home = Home.at(settings.data_dir)
    neo4j_settings(settings, port=settings.port or 0)  # refuse before a folder is made
    home.create()
    began = time.monotonic()
    with exclusive(home.operation_lock, timeout_s=_OPERATION_TIMEOUT_S):
        if (record := _running(home)) is not None:
            return _attach(record, home=home, settings=settings)
        try:
            record, spawned = _launch(home, settings, owned=owned, given_up=given_up)
        except PortTaken:
            if settings.port:
                raise
            # somebody was quicker on a port chosen for us
            record, spawned = _launch(home, settings, owned=owned, given_up=given_up)
    return RunningDatabase(record, home=home, spawned=spawned, start_seconds=time.monotonic() - began)


def stop(data_dir: Path) -> bool:
    """Stop the database of a directory and wait until it has ended. Returns whether one ran.

    Raises:
        StoreOwned: it belongs to another living process.
    """
    home = Home.at(data_dir)
    if not home.operation_lock.parent.is_dir():
        return False
    with exclusive(home.operation_lock, timeout_s=_OPERATION_TIMEOUT_S):
        record = ownership.read(home)
        if record is None or not record.is_running(home):
            ownership.forget(home)
            return False
        if record.owned and record.owner.is_alive() and record.owner != processes.myself():
            raise StoreOwned(
                f"Process {record.owner.pid} owns this database and stops it when it ends.",
                field="data_dir",
                value=str(home.root),
                hint=f"Stop process {record.owner.pid} instead.",
                metadata={"owner_pid": str(record.owner.pid)},
            )
        processes.end(record.java, grace_s=STOP_GRACE_S)
        ownership.forget(home)
        return True


def _running(home: Home) -> Ownership | None:
    record = ownership.read(home)
    if record is None or not record.is_running(home) or record.is_abandoned():
        return None
    return record


def _attach(record: Ownership, *, home: Home, settings: EmbeddedSettings) -> RunningDatabase:
    if settings.port and settings.port != record.port:
        raise StoreOwned(
            f"This directory's database already runs on port {record.port} (process {record.java.pid}).",
            field="port",
            value=settings.port,
            hint="Leave the port open to use it, or stop it first.",
            metadata={"port": str(record.port), "pid": str(record.java.pid)},
        )
    await_bolt(record.java, home=home, host=record.host, port=record.port, timeout_s=settings.start_timeout_s)
    return RunningDatabase(record, home=home)


def _choose_port(home: Home, settings: EmbeddedSettings) -> int:
    """The port that is asked for; else the last one; else any free one."""
    if not settings.port and (last := ownership.last_port(home)) is not None:
        with suppress(PortTaken):
            return bolt.claim_port(host=settings.host, port=last)
    return bolt.claim_port(host=settings.host, port=settings.port)


def _launch(
    home: Home, settings: EmbeddedSettings, *, owned: bool, given_up: Callable[[], bool]
) -> tuple[Ownership, Spawned]:
    java, library = find_java(), ensure_jars()
    life_lock = _take_over(home)
    try:
        port = _choose_port(home, settings)
        asks = settings.login or logins.read(home) is not None
        if asks:
            logins.prepare(home)
        chosen = neo4j_settings(settings, port=port, login=asks)
        write_config(home.config_dir, chosen)
        command = java_command(java=java.path, library=library, home=home, settings=settings)
        spawned = spawn(command, home=home, life_lock=life_lock, owned=owned)
    finally:
        os.close(life_lock)  # Java holds its copy
    try:
        record = Ownership(
            java=spawned.java,
            owner=processes.myself(),
            owned=owned,
            port=port,
            uri=f"bolt://{chosen['server.bolt.listen_address']}",
            version=NEO4J_VERSION,
            heap=settings.heap,
            page_cache=settings.page_cache,
            started_at=datetime.now(UTC),
            login=asks,
        )
        ownership.write(home, record)
        await_bolt(
            spawned.java,
            home=home,
            host=settings.host,
            port=port,
            timeout_s=settings.start_timeout_s,
            given_up=given_up,
        )
        ownership.keep_port(home, port)
    except BaseException:
        spawned.end()
        ownership.forget(home)
        raise
    return record, spawned


def _take_over(home: Home) -> int:
    """Lock the store for a new Java, ending what a dead owner left behind.

    Raises:
        StoreOwned: a process uses the store that was not started from here.
    """
    descriptor = try_lock(home.life_lock)
    stray = processes.find_by_home(home.root)
    if descriptor is None:  # only a Java started from here holds it, and its owner is gone
        if stray is not None:
            processes.end(stray, grace_s=STOP_GRACE_S)
        descriptor, stray = wait_lock(home.life_lock, timeout_s=_LOCK_RELEASE_S), None
    if descriptor is None or stray is not None:
        if descriptor is not None:
            os.close(descriptor)
        who = f"Process {stray.pid}" if stray else "A process of another machine"
        raise StoreOwned(
            f"{who} uses this directory and was not started from here.",
            field="data_dir",
            value=str(home.root),
            hint="End it, use its address as KSMITH_NEO4J_URI, or choose another directory.",
        )
    return descriptor
