"""A watch survives broken connections: every row once, in order, and a gap is an error."""

from __future__ import annotations

from collections.abc import Generator

import grpc
import pytest
from tests.client import wire
from tests.client.fake_server import FakeServer
from tests.client.wire import Failure, State

from knowledgesmith.client import (
    BeliefBatch,
    Heartbeat,
    InterventionFailed,
    InterventionNotFound,
    InterventionState,
    KnowledgeSmith,
    SequenceGap,
    ServerFault,
    ServerUnreachable,
    StateChanged,
)
from knowledgesmith.client._retry import Backoff
from knowledgesmith.client._sync.watch import Watch
from knowledgesmith.v1 import error_pb2, intervention_pb2

BROKEN = Failure(code=grpc.StatusCode.UNAVAILABLE)
RUNNING = wire.state(State.INTERVENTION_STATE_RUNNING)
SUCCEEDED = wire.state(State.INTERVENTION_STATE_SUCCEEDED)


def sequences(either: KnowledgeSmith, after: int = 0) -> list[int]:
    events = either.interventions.watch(intervention_id="i1", after_sequence=after)
    return [row.sequence for event in events if isinstance(event, BeliefBatch) for row in event.changes]


def test_a_whole_watch(either: KnowledgeSmith) -> None:
    events = list(either.interventions.watch(intervention_id="i1"))
    assert [type(event).__name__ for event in events] == [
        "StateChanged",
        "Progress",
        "BeliefBatch",
        "Heartbeat",
        "BeliefBatch",
        "StateChanged",
    ]


def test_it_resumes_after_the_last_row_and_drops_repeated_ones(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [
        [RUNNING, wire.batch(1, 2), BROKEN],
        [RUNNING, wire.batch(1, 4), wire.batch(3, 4), BROKEN],
        [RUNNING, wire.batch(5, 6), SUCCEEDED],
    ]
    assert sequences(either) == [1, 2, 3, 4, 5, 6]
    assert [request.after_sequence for request in fake.requests("WatchIntervention")] == [0, 2, 4]


def test_a_trimmed_batch_says_what_it_holds(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[RUNNING, wire.batch(1, 3), wire.batch(2, 5), SUCCEEDED]]
    batches = [event for event in either.interventions.watch(intervention_id="i1") if isinstance(event, BeliefBatch)]
    assert [(item.first_sequence, item.last_sequence) for item in batches] == [(1, 3), (4, 5)]


def test_a_stream_that_ends_early_is_opened_again(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[RUNNING, wire.batch(1, 2)], [RUNNING, wire.batch(3, 6), SUCCEEDED]]
    assert sequences(either) == [1, 2, 3, 4, 5, 6]


def test_a_gap_is_an_error(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[RUNNING, wire.batch(1, 2), wire.batch(4, 5)]]
    with pytest.raises(SequenceGap, match="expected ledger row 3 and got row 4"):
        sequences(either)


def test_a_gap_after_a_resume_is_an_error(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[RUNNING, wire.batch(1, 2), BROKEN], [RUNNING, wire.batch(5, 6), SUCCEEDED]]
    with pytest.raises(SequenceGap):
        sequences(either)


def test_it_starts_where_the_caller_left_off(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[RUNNING, wire.batch(4, 6), SUCCEEDED]]
    assert sequences(either, after=3) == [4, 5, 6]


def test_rows_after_the_final_state_still_arrive(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[SUCCEEDED, wire.batch(1, 6)]]
    assert sequences(either) == [1, 2, 3, 4, 5, 6]


def test_a_heartbeat_after_the_end_closes_a_stream_that_stays_open(either: KnowledgeSmith, fake: FakeServer) -> None:
    beat = wire.Watch(heartbeat=intervention_pb2.Heartbeat(committed_sequence=6))
    fake.watches = [[wire.batch(1, 6), SUCCEEDED, beat, Failure(code=grpc.StatusCode.INTERNAL)]]
    events = list(either.interventions.watch(intervention_id="i1"))
    assert isinstance(events[-1], Heartbeat)


def test_a_domain_error_is_not_retried(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[Failure(code=grpc.StatusCode.NOT_FOUND, reason="INTERVENTION_NOT_FOUND")]]
    with pytest.raises(InterventionNotFound):
        sequences(either)
    assert len(fake.requests("WatchIntervention")) == 1


def test_a_server_too_slow_to_be_read_is_asked_again(either: KnowledgeSmith, fake: FakeServer) -> None:
    slow = Failure(code=grpc.StatusCode.RESOURCE_EXHAUSTED, reason="SLOW_WATCHER")
    fake.watches = [[RUNNING, wire.batch(1, 3), slow], [wire.batch(4, 6), SUCCEEDED]]
    assert sequences(either) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("ending", "error"), [(True, ServerUnreachable), (False, ServerFault)])
def test_it_gives_up_when_nothing_new_comes(fake: FakeServer, *, ending: bool, error: type[Exception]) -> None:
    connections: list[int] = []

    def open_stream(after: int) -> Generator[wire.Watch]:
        connections.append(after)
        yield RUNNING
        if ending:
            raise ServerUnreachable("gone")

    watch = Watch(open_stream=open_stream, backoff=Backoff(first_s=0.001, attempts=3))
    with pytest.raises(error):
        list(watch.events())
    assert connections == [0, 0, 0, 0]


def test_wait_returns_the_final_intervention(either: KnowledgeSmith) -> None:
    assert either.interventions.wait(intervention_id="i1").state is InterventionState.SUCCEEDED


def test_wait_returns_when_a_decision_is_needed(either: KnowledgeSmith, fake: FakeServer) -> None:
    fake.watches = [[RUNNING, wire.state(State.INTERVENTION_STATE_AWAITING_DECISION)]]
    assert either.interventions.wait(intervention_id="i1").state is InterventionState.AWAITING_DECISION


def test_wait_raises_for_a_failed_intervention(either: KnowledgeSmith, fake: FakeServer) -> None:
    failed = wire.state(
        State.INTERVENTION_STATE_FAILED,
        error_reason=error_pb2.ERROR_REASON_EDIT_DIVERGED,
        error_message="The update exploded.",
    )
    fake.watches = [[RUNNING, failed], [RUNNING, failed]]
    with pytest.raises(InterventionFailed, match="exploded") as caught:
        either.interventions.wait(intervention_id="i1")
    assert caught.value.reason == "EDIT_DIVERGED"
    assert either.interventions.wait(intervention_id="i1", check=False).state is InterventionState.FAILED


def test_a_watch_that_is_left_ends_the_call(either: KnowledgeSmith, fake: FakeServer) -> None:
    events = either.interventions.watch(intervention_id="i1")
    assert isinstance(next(events), StateChanged)
    assert isinstance(events, Generator)
    events.close()
    assert len(fake.requests("WatchIntervention")) == 1
