"""The front process's side of the worker: start it, call it, restart it, stop it."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.errors import WorkerUnavailable
from knowledgesmith.server.events import Hub, InterventionProgress
from knowledgesmith.server.worker.channel import BEAT_SECONDS, Channel, Message, load_error

if TYPE_CHECKING:
    from knowledgesmith.server.metrics import Metrics

_LOG = logging.getLogger(__name__)
_RESTART_SECONDS = (0.2, 1.0, 5.0, 15.0)
_STEADY_SECONDS = 60.0
_SILENT_SECONDS = 15 * BEAT_SECONDS


class WorkerHandle:
    """One worker process; all public methods belong to the event loop's thread.

    A worker that dies is started again; calls that it had not answered fail with ``WORKER_UNAVAILABLE``, interventions
    that it had claimed are taken up by its successor.
    """

    def __init__(self, *, environment: dict[str, str], metrics: Metrics, hub: Hub) -> None:
        self._environment = environment
        self._metrics = metrics
        self._hub = hub
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = asyncio.Event()
        self._stopping = False
        self._crashes = 0
        self._ready_since = self._last_beat = 0.0
        self._restart: asyncio.Task[None] | None = None
        self.methods: list[Message] = []

    @property
    def pid(self) -> int | None:
        """Process id of the present worker."""
        return self._process.pid if self._process else None

    @property
    def ready(self) -> bool:
        """Whether the worker has reported for duty."""
        return self._ready.is_set()

    def start(self) -> None:
        """Start the process; it reports for duty by itself."""
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        command = [sys.executable, "-m", "knowledgesmith.server.worker", str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env=self._full_environment(), stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._channel = Channel(ours.detach())
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(self._channel, self._process, loop), daemon=True).start()

    def _full_environment(self) -> dict[str, str]:
        # Threads that spin while they wait starve the database on a small machine.
        return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **self._environment}

    async def call(self, name: str, /, **args: object) -> Any:
        """Send a call and wait for its answer; the caller sets the deadline.

        When it is cancelled (the caller has gone, or its deadline has come) the worker is told: the call is dropped
        before it begins, or ends at its next block of the model.

        Raises:
            WorkerUnavailable: the worker is gone.
            KnowledgeSmithError: what the worker raised.
        """
        await self._ready.wait()
        if self._channel is None:
            raise _gone()
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        try:
            self._channel.send({"id": number, "call": name, "args": args})
            return await future
        except OSError as error:
            raise _gone() from error
        except asyncio.CancelledError:
            self.notify("withdraw", number=number)
            raise
        finally:
            self._pending.pop(number, None)

    def notify(self, name: str, /, **args: object) -> None:
        """Send a message that needs no answer; a worker that is gone reads the graph when it returns."""
        if self._channel is not None:
            try:
                self._channel.send({"id": 0, "call": name, "args": args})
            except OSError:
                _LOG.info("the worker is gone; %s is not delivered", name)

    async def stop(self, seconds: float) -> None:
        """Ask the worker to stop at the next safe point; kill it after ``seconds``."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
        self.notify("stop")
        process = self._process
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def _read(self, channel: Channel, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        try:
            while True:
                loop.call_soon_threadsafe(self._dispatch, channel.receive())
        except (EOFError, OSError):
            process.wait()
        try:
            loop.call_soon_threadsafe(self._ended, process)
        except RuntimeError:  # the loop is closed: the server has stopped
            channel.close()

    def _dispatch(self, message: Message) -> None:
        event = message.get("event")
        if event is None:
            self._answer(message)
        elif event == "metric":
            getattr(self._metrics, message["op"])(message["name"], message["value"], **message["labels"])
        elif event == "ready":
            self.methods = message["methods"]
            self._metrics.set("ksmith_build_info", 1, **message["versions"])
            self._ready.set()
            self._ready_since = time.monotonic()
            self._beaten(message["memory"])
        elif event == "beat":
            self._beaten(message["memory"])
        elif event == "progress":
            progress = InterventionProgress(**{key: message[key] for key in ("phase", "step", "done", "total")})
            self._hub.publish(message["id"], progress)
        else:
            self._hub.publish(message["id"])

    def _beaten(self, memory: int) -> None:
        """The worker runs. Only one that has done so for a while ends the row of crashes: to be ready proves little."""
        self._last_beat = time.monotonic()
        if self._last_beat - self._ready_since > _STEADY_SECONDS:
            self._crashes = 0
        self._metrics.set("ksmith_worker_up", 1)
        self._metrics.set("ksmith_worker_memory_bytes", memory)

    def check_beat(self) -> None:
        """Say that a worker is not up which has been silent for long: stopped, or starved by the machine."""
        if self.ready and time.monotonic() - self._last_beat > _SILENT_SECONDS:
            self._metrics.set("ksmith_worker_up", 0)

    def _answer(self, message: Message) -> None:
        future = self._pending.get(message["id"])
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(load_error(message["error"]))
        else:
            future.set_result(message["result"])

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        self._ready.clear()
        self._channel = None
        self._metrics.set("ksmith_worker_up", 0)
        self._metrics.set("ksmith_worker_memory_bytes", 0)
        for future in self._pending.values():
            if not future.done():
                future.set_exception(_gone())
        if self._stopping:
            return
        _LOG.error("the worker (pid %s) ended with status %s; starting another", process.pid, process.returncode)
        self._metrics.inc("ksmith_worker_restarts")
        self._restart = asyncio.get_running_loop().create_task(self._start_again())

    async def _start_again(self) -> None:
        seconds = _RESTART_SECONDS[min(self._crashes, len(_RESTART_SECONDS) - 1)]
        self._crashes += 1
        await asyncio.sleep(seconds)
        self.start()


def _gone() -> WorkerUnavailable:
    return WorkerUnavailable("the model worker is gone", hint="It is started again; retry in a few seconds.")
