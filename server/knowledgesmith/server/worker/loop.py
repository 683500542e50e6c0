"""The worker's loops: one thread runs interventions, one listens, one for each sort of visit answers beside them.

The listening thread answers what needs no model (descriptions, checks, cancellations) at once; questions and exports
use views of the model (``visits``), so that a long intervention delays neither. It also notices when the front process
is gone and ends the worker, which must not live on alone.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from knowledgesmith.graph_schema.cancellation import working_for
from knowledgesmith.graph_schema.errors import Cancelled, GraphUnavailable, KnowledgeSmithError
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.head_replays import settle_all
from knowledgesmith.server.worker import method_catalogue
from knowledgesmith.server.worker.attempt.reporting import Reporter, resident_bytes
from knowledgesmith.server.worker.attempt.runner import AttemptRunner
from knowledgesmith.server.worker.channel import BEAT_SECONDS, Channel, Message, PipeSink, dump_error
from knowledgesmith.server.worker.model.host import ModelHost
from knowledgesmith.server.worker.model.visits import Call, Calls, ElsewhereError, Visits

if TYPE_CHECKING:
    from collections.abc import Callable

    from knowledgesmith.graph_schema.storage.store import GraphStore
    from knowledgesmith.server.settings import ServerSettings
    from knowledgesmith.server.worker.model.shelf import Held, Loading

_LOG = logging.getLogger(__name__)
_IDLE_SECONDS = 1.0
_ORPHANED = 3
_LEAVE_SECONDS = 10.0
"""How long an end of the worker waits for a visit that was withdrawn; it ends at its next block or file."""
_VISITS = {"ask": True, "export": True, "weights_digest": False}
"""Sorts of visits, and whether they wait for another model to make room."""


class Worker:
    """Owns the model host and the intervention runner of one device."""

    def __init__(self, *, settings: ServerSettings, store: GraphStore, channel: Channel, sink: PipeSink) -> None:
        self._store = store
        self._channel = channel
        self._inbox: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._calls = Calls()
        self._stop = threading.Event()
        self._set_apart: set[str] = set()
        self._host = ModelHost(settings=settings, store=store)
        reporter = Reporter(channel, sink)
        self._runner = AttemptRunner(settings=settings, store=store, host=self._host, reporter=reporter)
        self._instant: dict[str, Callable[..., Any]] = {
            "describe_methods": method_catalogue.describe_methods,
            "check_method": method_catalogue.check_method,
        }
        self._queued: dict[str, Callable[..., Any]] = {"describe_model": self._host.describe}
        self._visits = {
            name: Visits(
                name,
                patient=patient,
                shelf=self._host.shelf,
                place_of=lambda call: self._host.place_of(call.args["branch_id"]),
                work=self._visit,
                refuse=self._refuse,
            )
            for name, patient in _VISITS.items()
        }

    def run(self) -> None:
        """Report for duty, take up interrupted interventions, then serve until told to stop."""
        self._host.sweep()
        for visits in self._visits.values():
            visits.start()
        threading.Thread(target=self._listen, daemon=True, name="listen").start()
        threading.Thread(target=self._beat, daemon=True, name="beat").start()
        methods = method_catalogue.describe_methods()
        self._channel.send(
            {"event": "ready", "methods": methods, "versions": method_catalogue.versions(), "memory": resident_bytes()}
        )
        interrupted: list[str] | None = None
        while not self._stop.is_set():
            try:
                if interrupted is None:
                    interrupted = steps.interrupted_ids(self._store)
                if not self._serve_calls() and not self._run_attempt(interrupted):
                    settle_all(self._store)
                    self._wait()
            except GraphUnavailable as error:
                _LOG.warning("%s; waiting for it", error.message)
                interrupted = None
                time.sleep(_IDLE_SECONDS)
        self._calls.withdraw_all()
        for visits in self._visits.values():
            visits.stop(_LEAVE_SECONDS)

    def _serve_calls(self) -> bool:
        served = False
        while not self._inbox.empty():
            self._serve(self._inbox.get())
            served = True
        return served

    def _serve(self, call: Call) -> None:
        if call.name in self._queued:
            self._answer(call, lambda: self._queued[call.name](**call.args))

    def _run_attempt(self, interrupted: list[str]) -> bool:
        """Run one intervention, an interrupted one first; one that loses the database is interrupted, not failed.

        Whatever else goes wrong with one intervention costs neither the worker nor the other interventions.
        """
        found = (interrupted[0], "") if interrupted else steps.next_intervention(self._store, self._set_apart)
        if found is None:
            return False
        chosen, branch = found
        try:
            self._runner.run(chosen, stop=self._stop)
        except (GraphUnavailable, ConnectionError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is about this intervention only
            # it could not even be ended; the other branches have their turn, and a new worker tries this one again
            _LOG.exception("%s is set apart", chosen)
            if branch:  # what was queued behind it counts on it; an interrupted one holds its branch by its state
                self._set_apart.add(branch)
        if interrupted:
            interrupted.pop(0)
        return True

    def _wait(self) -> None:
        with suppress(queue.Empty):
            self._serve(self._inbox.get(timeout=_IDLE_SECONDS))

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
            self._calls.withdraw_all()
            self._inbox.put(self._calls.take({"id": 0, "call": "wake", "args": {}}))
        elif name == "cancel":
            self._runner.cancel(**message["args"])
        elif name == "withdraw":
            self._calls.withdraw(**message["args"])
            self._host.shelf.wake()
        elif name in self._instant:
            self._answer(self._calls.take(message), lambda: self._instant[name](**message["args"]))
        elif name in self._visits:
            self._visits[name].put(self._calls.take(message))
        else:
            self._inbox.put(self._calls.take(message))

    def _visit(self, call: Call, claimed: Held | Loading) -> None:
        host = self._host
        table: dict[str, Callable[..., Any]] = {
            "ask": host.ask,
            "export": host.export,
            "weights_digest": host.weights_digest,
        }

        def answer() -> Any:
            with host.shelf.lent(claimed) as held:
                found = table[call.name](held, **call.args)
            if call.name == "export":
                call.undo = lambda: host.remove_export(call.args["name"])
            return found

        self._answer(call, answer)

    def _refuse(self, call: Call) -> None:
        def refuse() -> str:
            if isinstance(call.error, ElsewhereError):
                return ""
            raise call.error or Cancelled("nobody waits for it any more")

        self._answer(call, refuse)

    def _answer(self, call: Call, work: Callable[[], Any]) -> None:
        """Do what a call asks for, unless nobody waits for it, and send what came of it."""
        try:
            with working_for(call.caller):
                answer: Message = {"result": work()}
        except KnowledgeSmithError as error:
            answer = {"error": dump_error(error)}
        except Exception as error:  # noqa: BLE001 - one failed call must not end the worker
            _LOG.exception("%s failed", call.name)
            answer = {"error": dump_error(KnowledgeSmithError(f"internal error: {type(error).__name__}"))}
        finally:
            self._calls.over(call)
        if call.caller.waits:
            self._channel.send({"id": call.id, **answer})
