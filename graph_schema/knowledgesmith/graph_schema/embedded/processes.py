"""Who a process id really is: start time and command line, since ids are reused (Linux ``/proc``)."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_POLL_S: Final = 0.05
_DEAD_STATES: Final = frozenset({"Z", "X"})


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one of the same id.

    Attributes:
        pid: process id.
        started_ticks: start time in clock ticks since boot.
    """

    pid: int
    started_ticks: int

    def is_alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessIdentity | None:
    """Identity of a running process; ``None`` when there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return None if fields[0] in _DEAD_STATES else ProcessIdentity(pid, int(fields[19]))


def myself() -> ProcessIdentity:
    """Identity of this process."""
    found = identify(os.getpid())
    if found is None:
        raise OSError("no /proc here: the embedded Neo4j runs on Linux only")
    return found


def command_line(pid: int) -> list[str]:
    """Arguments of a process; empty when it is gone or not ours to read."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").rstrip("\0").split("\0")


def resident_bytes(pid: int) -> int | None:
    """Memory of a process in RAM; ``None`` when it is gone."""
    try:
        pages = int((_PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def runs_home(pid: int, home: Path) -> bool:
    """Whether a process is the Java that runs Neo4j on this home."""
    program, *arguments = command_line(pid) or [""]
    # The guard has the same arguments as its Java, but a Python in front.
    return Path(program).name == "java" and f"--home-dir={home}" in arguments


def find_by_home(home: Path) -> ProcessIdentity | None:
    """The Java that runs Neo4j on this home, wherever it came from."""
    for pid in (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()):
        if runs_home(pid, home) and (found := identify(pid)) is not None:
            return found
    return None


def end(process: ProcessIdentity, *, grace_s: float) -> bool:
    """SIGTERM, wait, and after ``grace_s`` seconds SIGKILL. Returns whether the process ended by itself."""
    _send(process, signal.SIGTERM)
    if wait_gone(process, timeout_s=grace_s):
        return True
    _send(process, signal.SIGKILL)
    wait_gone(process, timeout_s=grace_s)
    return False


def wait_gone(process: ProcessIdentity, *, timeout_s: float) -> bool:
    """Wait until a process has ended; ``False`` when it has not within ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    while process.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _send(process: ProcessIdentity, number: signal.Signals) -> None:
    if process.is_alive():
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return
