"""Killing the worker, the front process or Neo4j in the middle of an intervention: nothing lost, nothing doubled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.server.conftest import open_branch, register
from tests.server.service import PATIENCE, Service
from tests.server.world import upload

from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.v1 import intervention_pb2

CHANCES = 10
"""Interventions begun until one is cut off in its middle: on a busy machine one may end before this process strikes."""
CHANGES = [("france", "has_capital", "paris", "rome"), ("japan", "has_capital", "tokyo", "beijing")]


@dataclass
class Own:
    """A server that tests may kill, on the shared database; the next one finds it running or started again."""

    service: Service

    def again(self) -> Service:
        """The next server over the same data, after this one has ended."""
        old = self.service
        self.service = Service(data_dir=old.data_dir, neo4j_uri=old.neo4j_uri).start()
        return self.service


@pytest.fixture(scope="module")
def owned(
    neo4j_uri: str, store: GraphStore, tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Own]:
    own = Own(Service(data_dir=tmp_path_factory.mktemp("crashes"), neo4j_uri=neo4j_uri).start())
    register(own.service, tiny_checkpoint)
    yield own
    assert own.service.process.poll() is not None or own.service.stop() == 0


@pytest.fixture
def own(owned: Own) -> Own:
    """The server, started again where a test that failed has left none."""
    if owned.service.process.poll() is not None:
        owned.again()
    return owned


def begin(service: Service, graph_id: str, **fields: Any) -> tuple[str, list[int]]:
    """Queue an intervention and return at its first ledger batch, with the sequence numbers seen so far."""
    service.import_graph(upload(graph_id))
    branch = open_branch(service, graph_id)
    intervention = service.create(service.spec(branch, *CHANGES, max_probes=2000, **fields))
    watch = service.intervention.WatchIntervention(
        intervention_pb2.WatchInterventionRequest(intervention_id=intervention.id, max_batch=8), timeout=PATIENCE
    )
    for event in watch:
        if event.WhichOneof("event") == "batch":
            watch.cancel()
            return intervention.id, [row.sequence for row in event.batch.changes]
    raise AssertionError("ended without a ledger row")


def attempts_of_whole(service: Service, intervention_id: str) -> int:
    """The intervention succeeded and its ledger has every planned row exactly once; how many attempts it took."""
    done = service.wait(intervention_id)
    assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
    rows = service.rows(intervention_id)
    assert [row.sequence for row in rows] == list(range(1, done.planned_rows + 1))
    return done.attempt


def test_killed_worker_is_replaced_and_the_intervention_goes_on(own: Own, graph_id: str) -> None:
    for _ in range(CHANCES):
        intervention_id, seen = begin(own.service, graph_id)
        first = own.service.worker()
        first.kill()
        attempts = attempts_of_whole(own.service, intervention_id)
        assert seen[0] == 1
        assert own.service.worker().pid != first.pid
        if attempts > 1:
            return
    pytest.fail("every intervention had ended before the worker was killed")


def test_killed_front_process_leaves_no_worker_and_resumes_after_a_restart(own: Own, graph_id: str) -> None:
    for _ in range(CHANCES):
        intervention_id, _ = begin(own.service, graph_id)
        worker = own.service.worker()
        own.service.kill()
        worker.wait(timeout=PATIENCE)
        if attempts_of_whole(own.again(), intervention_id) > 1:
            return
    pytest.fail("every intervention had ended before the server was killed")


def test_graceful_stop_leaves_the_intervention_for_the_next_server(own: Own, graph_id: str) -> None:
    intervention_id, _ = begin(own.service, graph_id)
    assert own.service.stop() == 0
    assert attempts_of_whole(own.again(), intervention_id) >= 1


def test_killed_database_is_started_again_and_the_intervention_goes_on(
    tiny_checkpoint: Path, tmp_path: Path, graph_id: str
) -> None:
    service = Service(data_dir=tmp_path / "server").start()
    register(service, tiny_checkpoint)
    intervention_id, _ = begin(service, graph_id)
    java = service.child("CommunityEntryPoint", "--home-dir")
    java.kill()
    assert attempts_of_whole(service, intervention_id) >= 1
    assert service.stop() == 0
    assert not java.is_running()


def test_cancel_in_the_middle(own: Own, graph_id: str) -> None:
    intervention_id, _ = begin(own.service, graph_id)
    refused = own.service.cancel(intervention_id)
    expected = intervention_pb2.INTERVENTION_STATE_CANCELLED
    if refused is not None:
        assert refused == grpc.StatusCode.FAILED_PRECONDITION, "too late: it is committing or has ended"
        expected = intervention_pb2.INTERVENTION_STATE_SUCCEEDED
    assert own.service.wait(intervention_id).state == expected


def test_watchers_of_all_kinds_see_one_history(own: Own, graph_id: str) -> None:
    service = own.service
    service.import_graph(upload(graph_id))
    branch = open_branch(service, graph_id)
    intervention = service.create(service.spec(branch, *CHANGES))
    histories: list[list[intervention_pb2.BeliefChange]] = []
    threads = [threading.Thread(target=lambda: histories.append(service.rows(intervention.id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(histories) == 4
    assert all(history == histories[0] for history in histories)
    assert histories[0]
