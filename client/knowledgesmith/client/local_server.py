"""A server of one's own on this machine: started as a detached process, found again by its pid file.

Files below the data directory: ``server.json`` (pid and addresses), ``server.log``, ``server.lock``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from knowledgesmith.client._errors import FailedPrecondition, KnowledgeSmithClientError, NotFound, Unavailable
from knowledgesmith.client._extras import SERVER, require
from knowledgesmith.client._own_settings import DEFAULT_TARGET, own_setting
from knowledgesmith.client._sync.client import KnowledgeSmith

DEFAULT_METRICS: Final = "127.0.0.1:7618"
START_TIMEOUT_S: Final = 1200.0  # the server itself waits 900 s for its database
STOP_TIMEOUT_S: Final = 90.0
_POLL_S: Final = 0.25
_TAIL_BYTES: Final = 8192


def default_data_dir() -> Path:
    """Where one's own server keeps everything: as its settings say, else the user's data folder of this system."""
    import platformdirs

    given = own_setting("data_dir", "")
    return Path(given).expanduser() if given else Path(platformdirs.user_data_dir("knowledgesmith"))


def own_server(
    *, data_dir: Path | None = None, target: str = "", metrics: str = "", device: str = "", dtype: str = ""
) -> LocalServer:
    """One's own server where its settings put it; what is given goes before them."""
    return LocalServer(
        data_dir=data_dir or default_data_dir(),
        target=target or own_setting("listen", DEFAULT_TARGET),
        metrics=metrics or own_setting("metrics", DEFAULT_METRICS),
        device=device,
        dtype=dtype,
    )


def answers(target: str, *, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections at ``host:port``."""
    host, _, port = target.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=timeout_s):
            return True
    except (OSError, ValueError):
        return False


def free_address() -> str:
    """A loopback address with a port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{listener.getsockname()[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that runs: process id and addresses."""

    pid: int
    target: str
    metrics: str
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """The one server of a data directory.

    Attributes:
        data_dir: everything the server keeps.
        target: address of its gRPC services.
        metrics: address of its Prometheus endpoint.
        device: where the model computes; empty = ``KSMITH_DEVICE``, else the best there is.
        dtype: of models that are registered without one; empty = ``KSMITH_DTYPE``, else float32.
        module: what is run with ``python -m``.
    """

    data_dir: Path
    target: str = DEFAULT_TARGET
    metrics: str = DEFAULT_METRICS
    device: str = ""
    dtype: str = ""
    module: str = "knowledgesmith.server"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.data_dir / "server.log"

    def running(self) -> Running | None:
        """The server that runs on the data directory, if one does; a stale pid file counts as none."""
        try:
            found = Running(**json.loads(self._record.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if _alive(found.pid, self.module) else None

    def start(self, *, on_start: Callable[[], None] | None = None, timeout_s: float = START_TIMEOUT_S) -> Running:
        """Start the server and wait until it serves.

        Args:
            on_start: called once the process exists, before the wait.
            timeout_s: seconds until the health service must say SERVING.

        Raises:
            FailedPrecondition: a server runs already, another program holds the address, or no server is installed.
            Unavailable: the server ended or did not get ready in time.
        """
        with self._lock():
            present = self.running()
            if present is not None:
                raise FailedPrecondition(
                    f"A server runs already (pid {present.pid}, {present.target}).",
                    reason="SERVER_RUNNING",
                    hint="Use it, or stop it with `ksmith down`.",
                )
            if answers(self.target):
                raise FailedPrecondition(
                    "Something else listens at the server's address.",
                    reason="PORT_TAKEN",
                    field="target",
                    value=self.target,
                    hint="Choose another with --listen, or talk to it with --server.",
                )
            require(SERVER, "A server of your own")
            process = self._spawn()
            found = Running(pid=process.pid, target=self.target, metrics=self.metrics, log=str(self.log))
            self._record.write_text(json.dumps(asdict(found)), "utf-8")
            if on_start is not None:
                on_start()
            try:
                self._await_health(process, timeout_s)
            except BaseException:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_TIMEOUT_S)
                self._record.unlink(missing_ok=True)
                raise
            process.returncode = 0  # detached on purpose: the handle must not warn that its process outlives it
            return found

    def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> Running:
        """Ask the server to end and wait until it has.

        Raises:
            NotFound: no server runs on the data directory.
            Unavailable: it did not end in time.
        """
        found = self.running()
        if found is None:
            self._record.unlink(missing_ok=True)
            raise NotFound(
                "No server runs on this data directory.", reason="SERVER_NOT_RUNNING", value=str(self.data_dir)
            )
        os.kill(found.pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout_s
        while _alive(found.pid, self.module):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The server (pid {found.pid}) has not ended after {timeout_s:.0f} s.",
                    reason="SERVER_STOP_TIMEOUT",
                    hint=f"Look at {self.log}; it may still be finishing an intervention.",
                )
            time.sleep(_POLL_S)
        self._record.unlink(missing_ok=True)
        return found

    @property
    def _record(self) -> Path:
        return self.data_dir / "server.json"

    @contextmanager
    def _lock(self) -> Generator[None]:
        """One start at a time; a second caller waits and then finds the server that the first one started."""
        import fcntl  # not on Windows, where commands call a server that runs elsewhere

        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "server.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", self.module, "--listen", self.target, "--metrics", self.metrics]
        command += ["--device", self.device] if self.device else []
        command += ["--dtype", self.dtype] if self.dtype else []
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*command, "--data-dir", str(self.data_dir.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _await_health(self, process: subprocess.Popen[bytes], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not _serves(self.target):
            if process.poll() is not None:
                raise Unavailable(
                    f"The server ended while it started: {self._last_words()}",
                    reason="SERVER_START_FAILED",
                    hint=f"See {self.log}.",
                )
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The server is not ready after {timeout_s:.0f} s.",
                    reason="SERVER_START_FAILED",
                    hint=f"See {self.log}.",
                )
            time.sleep(_POLL_S)

    def _last_words(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it wrote nothing."


def _serves(target: str) -> bool:
    if not answers(target):
        return False
    with KnowledgeSmith(target, timeout_s=2.0, long_timeout_s=2.0) as smith:
        try:
            return smith.health() == "SERVING"
        except KnowledgeSmithClientError:
            return False


def _alive(pid: int, module: str) -> bool:
    """Whether ``pid`` is a living server of ours (a recycled pid or a zombie is not)."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    command = Path(f"/proc/{pid}/cmdline")
    if not command.exists():
        return not Path("/proc/self/cmdline").exists()
    return module.encode() in command.read_bytes()
