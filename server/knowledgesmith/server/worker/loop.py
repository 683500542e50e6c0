"""The worker's main loop: first-in first-out over calls, then jobs; one thread works, one listens.

The listening thread answers what needs no model (descriptions, checks, cancellations) at once, so that a long job
does not delay them; it also notices when the front process is gone and ends the worker, which must not live on alone.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema import jobs
from knowledgesmith.graph_schema.errors import GraphUnavailable, KnowledgeSmithError
from knowledgesmith.server.worker import catalogue
from knowledgesmith.server.worker.channel import BEAT_SECONDS, Channel, Message, PipeSink, dump_error
from knowledgesmith.server.worker.host import ModelHost
from knowledgesmith.server.worker.reporting import Reporter, resident_bytes
from knowledgesmith.server.worker.runner import JobRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledgesmith.graph_schema.store import GraphStore
    from knowledgesmith.server.settings import ServerSettings

_LOG = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0
_ORPHANED = 3


class Worker:
    """Owns the model host and the job runner of one device."""

    def __init__(self, *, settings: ServerSettings, store: GraphStore, channel: Channel, sink: PipeSink) -> None:
        self._store = store
        self._channel = channel
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._set_apart: set[str] = set()
        self._host = ModelHost(settings=settings, store=store)
        reporter = Reporter(channel, sink)
        self._runner = JobRunner(settings=settings, store=store, host=self._host, reporter=reporter)
        self._instant: dict[str, Callable[..., Any]] = {
            "describe_methods": catalogue.describe_methods,
            "check_method": catalogue.check_method,
        }
        self._queued: dict[str, Callable[..., Any]] = {
            "describe_model": self._host.describe,
            "weights_digest": self._host.weights_digest,
            "ask": self._host.ask,
            "export": self._host.export,
        }

    def run(self) -> None:
        """Report for duty, take up interrupted jobs, then serve until told to stop."""
        threading.Thread(target=self._listen, daemon=True, name="listen").start()
        threading.Thread(target=self._beat, daemon=True, name="beat").start()
        methods = catalogue.describe_methods()
        self._channel.send(
            {"event": "ready", "methods": methods, "versions": catalogue.versions(), "memory": resident_bytes()}
        )
        interrupted: list[str] | None = None
        while not self._stop.is_set():
            try:
                if interrupted is None:
                    interrupted = jobs.interrupted_ids(self._store)
                if not self._serve_calls() and not self._run_job(interrupted):
                    self._wait()
            except GraphUnavailable as error:
                _LOG.warning("%s; waiting for it", error.message)
                interrupted = None
                time.sleep(_IDLE_SECONDS)

    def _serve_calls(self) -> bool:
        served = False
        while not self._inbox.empty():
            self._answer(self._inbox.get(), self._queued)
            served = True
        return served

    def _run_job(self, interrupted: list[str]) -> bool:
        """Run one job: an interrupted one first. A job that loses the database is interrupted, not failed.

        Whatever else goes wrong with one job costs neither the worker nor the other jobs.
        """
        found = (interrupted[0], "") if interrupted else jobs.next_job(self._store, self._set_apart)
        if found is None:
            return False
        chosen, branch = found
        try:
            self._runner.run(chosen, stop=self._stop)
        except (GraphUnavailable, ConnectionError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is about this job only
            # it could not even be ended; the other branches have their turn, and a new worker tries this one again
            _LOG.exception("%s is set apart", chosen)
            if branch:  # what was queued behind it counts on it; an interrupted one holds its branch by its state
                self._set_apart.add(branch)
        if interrupted:
            interrupted.pop(0)
        return True

    def _wait(self) -> None:
        try:
            message = self._inbox.get(timeout=_IDLE_SECONDS)
        except queue.Empty:
            return
        self._answer(message, self._queued)

    def _listen(self) -> None:
        try:
            while True:
                self._take(self._channel.receive())
        except (EOFError, OSError):
            if not self._stop.is_set():
                os._exit(_ORPHANED)

    def _beat(self) -> None:
        """Say again and again that this process runs, and how large it is."""
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self._channel.send({"event": "beat", "memory": resident_bytes()})
            except OSError:
                return

    def _take(self, message: Message) -> None:
        name = message["call"]
        if name == "stop":
            self._stop.set()
            self._runner.leave()
            self._inbox.put({"id": 0, "call": "wake", "args": {}})
        elif name == "cancel":
            self._runner.cancel(**message["args"])
        elif name in self._instant:
            self._answer(message, self._instant)
        else:
            self._inbox.put(message)

    def _answer(self, message: Message, table: dict[str, Callable[..., Any]]) -> None:
        if message["call"] not in table:
            return
        try:
            answer: Message = {"result": table[message["call"]](**message["args"])}
        except KnowledgeSmithError as error:
            answer = {"error": dump_error(error)}
        except Exception as error:  # noqa: BLE001 - one failed call must not end the worker
            _LOG.exception("%s failed", message["call"])
            answer = {"error": dump_error(KnowledgeSmithError(f"internal error: {type(error).__name__}"))}
        self._channel.send({"id": message["id"], **answer})
