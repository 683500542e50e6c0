"""One intervention, or one silent process, never takes the worker from all others; and what is said of it is true."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import GraphUnavailable, RevisionMismatch, TooLarge
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.server.events import Hub
from knowledgesmith.server.front.interceptors import ServiceInterceptor
from knowledgesmith.server.front.policies import Policy
from knowledgesmith.server.metrics import Metrics
from knowledgesmith.server.worker import loop, method_catalogue
from knowledgesmith.server.worker import supervisor as handles
from knowledgesmith.server.worker.attempt.runner import AttemptRunner
from knowledgesmith.server.worker.loop import Worker
from knowledgesmith.server.worker.supervisor import WorkerHandle


class Runner:
    """Runs interventions; some cannot even be ended."""

    def __init__(self, **failures: Exception) -> None:
        self.failures = failures
        self.ran: list[str] = []

    def run(self, intervention: str, *, stop: threading.Event) -> None:
        assert not stop.is_set()
        self.ran.append(intervention)
        if intervention in self.failures:
            raise self.failures[intervention]


def worker(monkeypatch: pytest.MonkeyPatch, runner: Runner, queued: list[str]) -> Any:
    """A worker without a process, whose queue holds what has not ended."""

    def waiting(_store: object, apart: set[str]) -> tuple[str, str] | None:
        left = [
            intervention for intervention in queued if intervention not in runner.ran or intervention in runner.failures
        ]
        return next(
            (
                (intervention, f"branch of {intervention[0]}")
                for intervention in left
                if f"branch of {intervention[0]}" not in apart
            ),
            None,
        )

    monkeypatch.setattr(steps, "next_intervention", waiting)
    made: Any = Worker.__new__(Worker)
    made._store, made._runner, made._stop, made._set_apart = None, runner, threading.Event(), set()
    return made


@pytest.mark.parametrize("failure", [TooLarge("more than a transaction holds"), ValueError("odd"), KeyError("n")])
def test_an_intervention_that_cannot_be_ended_is_set_apart_and_the_queue_goes_on(
    monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    runner = Runner(b=failure, e=failure)
    one = worker(monkeypatch, runner, ["a", "b", "c", "b2", "d", "e", "f"])
    while one._run_attempt([]):
        pass
    assert runner.ran == ["a", "b", "c", "d", "e", "f"], "and what counts on it, on its own branch, waits"
    interrupted = ["b", "g"]
    assert one._run_attempt(interrupted)
    assert interrupted == ["g"], "an interrupted one that cannot be ended does not stand before the others"


def test_a_database_that_is_gone_sets_nothing_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    one = worker(monkeypatch, Runner(a=GraphUnavailable("gone")), ["a"])
    with pytest.raises(GraphUnavailable):
        one._run_attempt([])
    assert not one._set_apart


def test_an_idle_worker_finishes_beliefs_that_were_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cut a replay off may never come back; a worker with something to do lets it wait."""
    done: list[str] = []

    def settled(_store: object) -> None:
        done.append(",".join(one._runner.ran))

    def nothing(*_: object) -> list[str]:
        return []

    one = worker(monkeypatch, Runner(), ["a", "b"])
    one._host, one._channel = SimpleNamespace(sweep=nothing), SimpleNamespace(send=nothing)
    one._visits, one._calls = {}, SimpleNamespace(withdraw_all=nothing)
    one._listen = one._beat = nothing
    one._serve_calls = nothing
    one._wait = one._stop.set
    monkeypatch.setattr(method_catalogue, "describe_methods", list)
    monkeypatch.setattr(method_catalogue, "versions", dict)
    monkeypatch.setattr(steps, "interrupted_ids", nothing)
    monkeypatch.setattr(loop, "settle_all", settled)
    one.run()
    assert done == ["a,b"]


def metric(handle: Any, name: str) -> float | None:
    """A sample of the handle's registry."""
    found: float | None = handle._metrics.registry.get_sample_value(name)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that the test turns."""
    now = SimpleNamespace(value=1000.0)
    monkeypatch.setattr(handles, "time", SimpleNamespace(monotonic=lambda: now.value))
    return now


READY = {"event": "ready", "methods": [], "versions": {"version": "1", "torch": "2", "transformers": "5"}, "memory": 7}


def handled() -> Any:
    """The front process's side, without a process on the other."""
    return WorkerHandle(environment={}, metrics=Metrics(), hub=Hub())


def test_a_worker_is_up_while_it_says_so(clock: SimpleNamespace) -> None:
    one = handled()
    one._dispatch(READY)
    assert (metric(one, "ksmith_worker_up"), metric(one, "ksmith_worker_memory_bytes")) == (1, 7)
    clock.value += 20
    one.check_beat()
    assert metric(one, "ksmith_worker_up") == 1, "a busy machine may delay what it says"
    clock.value += 20
    one.check_beat()
    assert metric(one, "ksmith_worker_up") == 0, "stopped"
    one._dispatch({"event": "beat", "memory": 9})
    assert (metric(one, "ksmith_worker_up"), metric(one, "ksmith_worker_memory_bytes")) == (1, 9)


async def test_a_dead_worker_has_no_memory(clock: SimpleNamespace) -> None:
    one = handled()
    one._dispatch(READY)
    one._stopping = True
    gone: Any = SimpleNamespace(pid=1, returncode=-9)
    one._ended(gone)
    assert (metric(one, "ksmith_worker_up"), metric(one, "ksmith_worker_memory_bytes")) == (0, 0)
    one.check_beat()
    assert metric(one, "ksmith_worker_up") == 0


async def test_the_pause_grows_while_workers_die_soon_after_they_were_ready(
    clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = handled()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(handles, "asyncio", SimpleNamespace(sleep=sleep, get_running_loop=asyncio.get_running_loop))
    monkeypatch.setattr(one, "start", lambda: None)
    for lives in (1, 1, 1, 1, 1, 300):
        one._dispatch(READY)
        clock.value += lives
        one._dispatch({"event": "beat", "memory": 1})
        await one._start_again()
    assert pauses == [0.2, 1.0, 5.0, 15.0, 15.0, 0.2]


@pytest.mark.parametrize(("expected", "base", "fits"), [("r1", "r1", True), ("", "r2", True), ("r1", "r2", False)])
def test_the_start_of_an_intervention_is_the_revision_that_was_expected(expected: str, base: str, fits: bool) -> None:
    intervention: Any = SimpleNamespace(spec=SimpleNamespace(expected_revision=expected), base_revision=base)
    runner: Any = AttemptRunner
    if fits:
        runner._check_start(intervention)
        return
    with pytest.raises(RevisionMismatch, match="moved while") as caught:
        runner._check_start(intervention)
    assert (caught.value.field, caught.value.value) == ("expected_revision_id", "'r1'")
    assert "r2" in (caught.value.hint or "")


@pytest.mark.parametrize(("asked", "after", "code"), [(5.0, 5.0, "DEADLINE_EXCEEDED"), (5.0, 1.0, "CANCELLED")])
async def test_a_call_that_the_framework_ends_at_its_deadline_is_late(
    monkeypatch: pytest.MonkeyPatch, asked: float, after: float, code: str
) -> None:
    """The framework cancels a call whose deadline has come, as it does one whose caller has left."""
    now = SimpleNamespace(value=100.0)
    monkeypatch.setattr(cancellation, "time", SimpleNamespace(monotonic=lambda: now.value))
    metrics = Metrics()
    context: Any = SimpleNamespace(time_remaining=lambda: asked)

    async def unary(_request: object, _context: object) -> None:
        now.value += after
        raise asyncio.CancelledError

    async def stream(_request: object, _context: object) -> AsyncIterator[int]:
        yield 1
        now.value += after
        raise asyncio.CancelledError

    policy = Policy(seconds=asked, writes=False)
    wrap: Any = ServiceInterceptor(metrics, draining=asyncio.Event())
    with pytest.raises(asyncio.CancelledError):
        await wrap._unary("S/Get", policy, unary)(None, context)
    with pytest.raises(asyncio.CancelledError):
        [one async for one in wrap._streaming("S/Watch", policy, stream)(None, context)]
    for method in ("S/Get", "S/Watch"):
        labels = {"method": method, "code": code}
        assert metrics.registry.get_sample_value("ksmith_grpc_server_handled_total", labels) == 1
