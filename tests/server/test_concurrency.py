"""Calls that race or repeat: one intervention or rollback a request, and no refusal harms what runs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import grpc
import pytest
from tests.server.service import PATIENCE, Service, reason_of

from knowledgesmith.v1 import error_pb2, graph_pb2, intervention_pb2

PARIS = ("france", "has_capital", "paris", "rome")
SYMBOL = ("copper", "has_symbol", "Cu", "Fe")
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def test_refused_decisions_do_not_lock_out_the_running_attempt(service: Service, branch: str) -> None:
    intervention = service.create(service.spec(branch, PARIS, SYMBOL, max_probes=2000))
    stub = service.intervention
    decisions: tuple[Callable[[], object], ...] = (
        lambda: stub.CommitIntervention(
            intervention_pb2.CommitInterventionRequest(intervention_id=intervention.id), timeout=PATIENCE
        ),
        lambda: stub.DiscardIntervention(
            intervention_pb2.DiscardInterventionRequest(intervention_id=intervention.id), timeout=PATIENCE
        ),
    )
    refused = 0
    watch = service.intervention.WatchIntervention(
        intervention_pb2.WatchInterventionRequest(intervention_id=intervention.id, max_batch=8), timeout=PATIENCE
    )
    for event in watch:
        if event.WhichOneof("event") == "batch":
            for decide in decisions:
                with pytest.raises(grpc.RpcError) as error:
                    decide()
                assert reason_of(error.value)[:2] == (PRECONDITION, "ILLEGAL_STATE")
                refused += 1
    done = service.get(intervention.id)
    assert refused >= 2
    assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
    assert done.written_rows == done.planned_rows
    assert done.attempt == 1


def test_equal_requests_at_the_same_time_make_one_intervention(service: Service, branch: str) -> None:
    spec = service.spec(branch, PARIS)
    request_id = str(uuid.uuid4())
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(service.create(spec, request_id=request_id).id)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    service.wait(made[0])


def test_a_repeated_rollback_rolls_back_once(service: Service, branch: str) -> None:
    for change in (PARIS, SYMBOL):
        service.wait(service.create(service.spec(branch, change)).id)
    request_id = str(uuid.uuid4())
    first = service.roll_back(branch, request_id=request_id)
    again = service.roll_back(branch, request_id=request_id)
    assert again.branch.head_revision_id == first.branch.head_revision_id != "tiny.base"
    assert len(again.branch.intervention_ids) == 1


def test_equal_rollbacks_at_the_same_time_roll_back_once_and_get_one_answer(service: Service, branch: str) -> None:
    for change in (PARIS, SYMBOL):
        service.wait(service.create(service.spec(branch, change, method="placebo", max_probes=12)).id)
    request_id = str(uuid.uuid4())
    answers: list[tuple[str, str, int]] = []

    def ask() -> None:
        got = service.roll_back(branch, request_id=request_id)
        answers.append((got.head.id, got.branch.head_revision_id, len(got.branch.intervention_ids)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert answers[0][0] == answers[0][1] != "tiny.base"
    assert answers[0][2] == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line", PRECONDITION),
        ("LOAD CSV FROM 'http://127.0.0.1:1/x' AS line RETURN line", PRECONDITION),
        ("RETURN 1 / 0 AS x", grpc.StatusCode.INVALID_ARGUMENT),
        ("RETURN $missing AS x", grpc.StatusCode.INVALID_ARGUMENT),
        ("CALL no.such.procedure() YIELD x RETURN x", grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_user_queries_that_fail_are_the_users_mistake(service: Service, query: str, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        service.graph.RunCypher(graph_pb2.RunCypherRequest(query=query), timeout=PATIENCE)
    assert reason_of(refused.value)[0] == code, refused.value.details()


def test_a_head_that_moved_while_a_request_waited_is_not_what_it_expected(service: Service, branch: str) -> None:
    """Both were right when they were made; the second one's turn comes after the first has moved the head."""
    head = service.branch_of(branch).head_revision_id
    first = service.create(service.spec(branch, PARIS), expected_revision_id=head)
    second = service.create(service.spec(branch, SYMBOL), expected_revision_id=head)
    done, refused = service.wait(first.id), service.wait(second.id)
    assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
    assert refused.state == intervention_pb2.INTERVENTION_STATE_FAILED
    assert refused.error_reason == error_pb2.ERROR_REASON_REVISION_MISMATCH
    assert head in refused.error_message
