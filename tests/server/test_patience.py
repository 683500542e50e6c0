"""Long locks cost an intervention no attempt; one that is given up says what its attempts were lost to."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.graph_schema.lifecycle.conftest import LIMA, Runs, import_world

from knowledgesmith.graph_schema import cancellation
from knowledgesmith.graph_schema.errors import GraphUnavailable
from knowledgesmith.graph_schema.interventions import steps
from knowledgesmith.graph_schema.interventions.head_replays import mend_heads
from knowledgesmith.graph_schema.storage.store import GraphStore, Transaction
from knowledgesmith.graph_schema.storage.store_errors import locked
from knowledgesmith.graph_schema.types.interventions import State
from knowledgesmith.server.metrics import COUNTERS
from knowledgesmith.server.settings import ServerSettings
from knowledgesmith.server.worker.attempt import patience
from knowledgesmith.server.worker.attempt.patience import given_up
from knowledgesmith.server.worker.attempt.reporting import Reporter
from knowledgesmith.server.worker.attempt.runner import AttemptRunner


class Heard:
    """Stands where events and samples go; ``then`` happens at each wait for locks."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.counted: Counter[str] = Counter()
        self.then: Callable[[int], None] = lambda _waits: None

    def send(self, message: dict[str, Any]) -> None:
        """An event."""
        if message["event"] == "progress":
            self.phases.append(message["phase"])
            self.then(len(self.phases))

    def inc(self, name: str, amount: float = 1.0, **_labels: str) -> None:
        """A sample of a counter."""
        self.counted[name] += int(amount)

    def observe(self, *_args: object, **_labels: object) -> None:
        """Another sample."""


class Runner(AttemptRunner):
    """The product's runner, whose attempts do what a test says instead of changing a model."""

    work: Callable[[], object]

    def _carry(self, attempt: Any) -> State:
        del attempt
        self.work()
        return State.SUCCEEDED


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def runner(store: GraphStore, heard: Heard) -> Runner:
    nothing: Any = None
    events: Any = heard
    return Runner(settings=ServerSettings(), store=store, host=nothing, reporter=Reporter(events, events))


@pytest.fixture
def queued(store: GraphStore, graph_id: str) -> str:
    import_world(store, graph_id)
    runs = Runs(store, graph_id)
    return runs.queue(runs.branch(), LIMA)


def blocked(times: int) -> Callable[[Transaction], None]:
    """What is written while somebody holds the locks for so many tries."""
    left = [times]

    def work(_tx: Transaction) -> None:
        if left[0]:
            left[0] -= 1
            raise locked("interventions/ledger/append")

    return work


def test_an_intervention_waits_for_locks_within_its_attempt(
    runner: Runner, heard: Heard, store: GraphStore, queued: str
) -> None:
    """As long as it takes: seven tries are longer than any write used to wait, and would have cost an attempt."""
    runner.work = lambda: store.write_transaction(blocked(7))
    runner.run(queued, stop=threading.Event())
    assert heard.phases == [patience.PHASE] * 7
    assert heard.counted["ksmith_lock_waits"] == 7
    assert "ksmith_lock_waits" in COUNTERS
    assert steps.get(store, queued).attempt == 1


def test_a_cancelled_intervention_waits_no_longer(runner: Runner, heard: Heard, store: GraphStore, queued: str) -> None:
    def cancel(waits: int) -> None:
        if waits == 3:
            runner.cancel(intervention_id=queued)

    heard.then = cancel
    runner.work = lambda: store.write_transaction(blocked(99))
    runner.run(queued, stop=threading.Event())
    intervention = steps.get(store, queued)
    assert (intervention.state, intervention.attempt, len(heard.phases)) == (State.CANCELLED, 1, 3)


@pytest.mark.parametrize("in_the_end", [False, True])
def test_a_worker_that_stops_leaves_the_intervention_with_its_attempts(
    runner: Runner, heard: Heard, store: GraphStore, queued: str, in_the_end: bool
) -> None:
    """Also where the intervention was being committed, which no cancellation ends."""
    stop = threading.Event()

    def told(waits: int) -> None:
        if waits == 2:
            runner.cancel(intervention_id=queued)
            stop.set()

    def work() -> None:
        if in_the_end:
            with cancellation.to_the_end():
                store.write_transaction(blocked(99))
        store.write_transaction(blocked(99))

    heard.then, runner.work = told, work
    runner.run(queued, stop=stop)
    intervention = steps.get(store, queued)
    assert (intervention.state, intervention.attempt, len(heard.phases)) == (State.PREPARING, 0, 2)


def test_ending_an_intervention_waits_for_locks_too(
    runner: Runner, heard: Heard, store: GraphStore, queued: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = blocked(5)
    mend = mend_heads

    def mended(tx: Transaction, intervention_id: str, *, start: bool = True) -> str:
        taken(tx)
        return mend(tx, intervention_id, start=start)

    def fail() -> None:
        raise ValueError("a method's own")

    monkeypatch.setattr(steps, "mend_heads", mended)
    runner.work = fail
    runner.run(queued, stop=threading.Event())
    intervention = steps.get(store, queued)
    assert (intervention.state, intervention.attempt, len(heard.phases)) == (State.FAILED, 1, 5)
    assert "could not be restored" not in intervention.error_message


def test_an_intervention_that_is_given_up_says_what_its_attempts_were_lost_to(
    runner: Runner, store: GraphStore, queued: str
) -> None:
    def gone() -> None:
        raise GraphUnavailable("Neo4j does not answer")

    runner.work = gone
    for _ in range(steps.MAX_ATTEMPTS):
        with pytest.raises(GraphUnavailable):
            runner.run(queued, stop=threading.Event())
    runner.run(queued, stop=threading.Event())
    intervention = steps.get(store, queued)
    assert (intervention.state, intervention.error_reason) == (State.FAILED, "GRAPH_UNAVAILABLE")
    assert "given up after 3 attempts: 3 × Neo4j does not answer" in intervention.error_message
    assert "worker" not in intervention.error_message


def test_what_was_lost_is_told_as_far_as_it_is_known() -> None:
    assert given_up(3, {}).message == "given up: 3 attempts lost their worker"
    mixed = given_up(3, {2: "Neo4j does not answer"}).message
    assert mixed == "given up after 3 attempts: 1 × Neo4j does not answer; 2 × the worker was lost"
