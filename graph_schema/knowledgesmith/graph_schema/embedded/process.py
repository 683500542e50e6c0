"""Start one Java through the launcher, and wait until its Bolt port answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from knowledgesmith.graph_schema.embedded import bolt, launcher, processes
from knowledgesmith.graph_schema.embedded.logs import last_lines
from knowledgesmith.graph_schema.embedded.processes import ProcessIdentity
from knowledgesmith.graph_schema.embedded.settings import Home
from knowledgesmith.graph_schema.errors import DatabaseStartFailed, PortTaken

STOP_GRACE_S: Final = 30
_GUARD_GRACE_S: Final = STOP_GRACE_S + 10  # the guard itself waits for Java first
_POLL_S: Final = 0.1
_SHOWN_LINES: Final = 15
_PORT_TAKEN_MARK: Final = "already in use"


@dataclass(frozen=True)
class Spawned:
    """A started Java and, where this process owns it, the guard that ends it with us."""

    java: ProcessIdentity
    guard: subprocess.Popen[bytes] | None

    def end(self) -> None:
        """Stop Java (SIGTERM, then SIGKILL) and wait for it. May be called again."""
        if self.guard is None:
            processes.end(self.java, grace_s=STOP_GRACE_S)
            return
        _stream(self.guard.stdin).close()
        self.guard.wait(_GUARD_GRACE_S)


def spawn(command: list[str], *, home: Home, life_lock: int, owned: bool) -> Spawned:
    """Start ``command`` with a copy of the descriptor ``life_lock``.

    Raises:
        DatabaseStartFailed: the process could not be created.
    """
    log = _fresh_log(home.console_log)
    mode = "owned" if owned else "detached"
    script = [sys.executable, "-I", "-S", launcher.__file__, mode, str(log), str(life_lock)]
    with log.open("ab") as errors:
        guard = subprocess.Popen(
            [*script, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=home.root,
            start_new_session=True,  # Ctrl-C in a terminal is for the owner, who then stops the database in order
            pass_fds=(life_lock,),
        )
    with _stream(guard.stdout) as output:
        line = output.readline()
    java = processes.identify(int(line)) if line.strip().isdigit() else None
    if java is None:
        _stream(guard.stdin).close()
        guard.wait(_GUARD_GRACE_S)
        raise start_failed(home, "ended while it was starting" if line else "could not be run")
    if not owned:
        _stream(guard.stdin).close()
        guard.wait(_GUARD_GRACE_S)
    return Spawned(java=java, guard=guard if owned else None)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("opened as a pipe")
    return stream


def _fresh_log(log: Path) -> Path:
    """Set the last run's log aside, so that a failure shows its own lines only."""
    if log.exists():
        log.replace(log.with_suffix(".log.1"))
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600))
    return log


def await_bolt(
    java: ProcessIdentity,
    *,
    home: Home,
    host: str,
    port: int,
    timeout_s: float,
    given_up: Callable[[], bool] = lambda: False,
) -> None:
    """Wait until Java answers on its Bolt port.

    Raises:
        PortTaken: another program took the port in the meantime.
        DatabaseStartFailed: Java ended, did not answer in time, or is not wanted any more.
    """
    deadline = time.monotonic() + timeout_s
    while not bolt.answers(host=host, port=port):
        if not java.is_alive():
            raise _died(home, port=port)
        if time.monotonic() > deadline:
            raise start_failed(home, f"did not answer within {timeout_s:g} s")
        if given_up():
            raise start_failed(home, "is not wanted any more")
        time.sleep(_POLL_S)


def _died(home: Home, *, port: int) -> PortTaken | DatabaseStartFailed:
    if any(_PORT_TAKEN_MARK in line for line in last_lines(home.console_log, 200)):
        return PortTaken(
            f"Another program took port {port} while Neo4j was starting.",
            field="port",
            value=port,
            hint="Choose another port, or 0 for any free one.",
            metadata={"port": str(port)},
        )
    return start_failed(home, "ended while it was starting")


def start_failed(home: Home, what: str) -> DatabaseStartFailed:
    """The error for a start that failed, with the end of the log."""
    lines = "\n".join(last_lines(home.console_log, _SHOWN_LINES)) or "(the log is empty)"
    return DatabaseStartFailed(
        f"The embedded Neo4j {what}. The end of {home.console_log}:\n{lines}\n",
        field="data_dir",
        value=str(home.root),
        hint="Wait longer on a slow machine (KSMITH_NEO4J_START_TIMEOUT), give a smaller heap on a small one, "
        "or set KSMITH_NEO4J_URI to a running Neo4j.",
    )
