"""Killing the worker, the front process or Neo4j in the middle of a job: nothing lost, nothing doubled."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.server.conftest import open_branch, register
from tests.server.service import Service
from tests.server.world import upload

from knowledgesmith.graph_schema.store import GraphStore
from knowledgesmith.proto.v1 import intervention_pb2

CHANGES = [("france", "has_capital", "paris", "rome"), ("japan", "has_capital", "tokyo", "beijing")]


@pytest.fixture
def own(neo4j_uri: str, store: GraphStore, tiny_checkpoint: Path, tmp_path: Path) -> Service:
    """A server that the test may kill, on the shared database."""
    running = Service(data_dir=tmp_path / "server", neo4j_uri=neo4j_uri).start()
    register(running, tiny_checkpoint)
    return running


def begin(service: Service, graph_id: str, **fields: Any) -> tuple[str, list[int]]:
    """Queue a job and return at its first ledger batch, with the sequence numbers seen so far."""
    list(service.graph.ImportGraph(iter(upload(graph_id)), timeout=120))
    branch = open_branch(service, graph_id)
    job = service.create(service.spec(branch, *CHANGES, max_probes=2000, **fields))
    watch = service.intervention.WatchIntervention(
        intervention_pb2.WatchInterventionRequest(id=job.id, max_batch=8), timeout=180
    )
    for event in watch:
        if event.WhichOneof("event") == "batch":
            watch.cancel()
            return job.id, [row.seq for row in event.batch.changes]
    raise AssertionError("ended without a ledger row")


def assert_whole(service: Service, job_id: str, *, attempts: int) -> None:
    """The job succeeded and its ledger has every planned row exactly once."""
    done = service.wait(job_id)
    assert done.state == intervention_pb2.INTERVENTION_STATE_SUCCEEDED, done.error_message
    assert done.attempt >= attempts
    rows = service.rows(job_id)
    assert [row.seq for row in rows] == list(range(1, done.planned_rows + 1))


def test_killed_worker_is_replaced_and_the_job_goes_on(own: Service, graph_id: str) -> None:
    job_id, seen = begin(own, graph_id)
    first = own.worker()
    first.kill()
    assert_whole(own, job_id, attempts=2)
    assert seen[0] == 1
    assert own.worker().pid != first.pid
    assert own.stop() == 0


def test_killed_front_process_leaves_no_worker_and_resumes_after_a_restart(own: Service, graph_id: str) -> None:
    job_id, _ = begin(own, graph_id)
    worker = own.worker()
    own.kill()
    worker.wait(timeout=20)
    again = Service(data_dir=own.data_dir, neo4j_uri=own.neo4j_uri).start()
    assert_whole(again, job_id, attempts=2)
    assert again.stop() == 0


def test_graceful_stop_leaves_the_job_for_the_next_server(own: Service, graph_id: str) -> None:
    job_id, _ = begin(own, graph_id)
    assert own.stop() == 0
    again = Service(data_dir=own.data_dir, neo4j_uri=own.neo4j_uri).start()
    assert_whole(again, job_id, attempts=1)
    assert again.stop() == 0


def test_killed_database_is_started_again_and_the_job_goes_on(
    tiny_checkpoint: Path, tmp_path: Path, graph_id: str
) -> None:
    service = Service(data_dir=tmp_path / "server").start()
    register(service, tiny_checkpoint)
    job_id, _ = begin(service, graph_id)
    java = service.child("CommunityEntryPoint", "--home-dir")
    java.kill()
    assert_whole(service, job_id, attempts=1)
    assert service.stop() == 0
    assert not java.is_running()


def test_cancel_in_the_middle(own: Service, graph_id: str) -> None:
    job_id, _ = begin(own, graph_id)
    refused = own.cancel(job_id)
    expected = intervention_pb2.INTERVENTION_STATE_CANCELLED
    if refused is not None:
        assert refused == grpc.StatusCode.FAILED_PRECONDITION, "too late: it is committing or has ended"
        expected = intervention_pb2.INTERVENTION_STATE_SUCCEEDED
    assert own.wait(job_id).state == expected
    assert own.stop() == 0


def test_watchers_of_all_kinds_see_one_history(own: Service, graph_id: str) -> None:
    list(own.graph.ImportGraph(iter(upload(graph_id)), timeout=120))
    branch = open_branch(own, graph_id)
    job = own.create(own.spec(branch, *CHANGES))
    histories: list[list[intervention_pb2.BeliefChange]] = []
    threads = [threading.Thread(target=lambda: histories.append(own.rows(job.id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(histories) == 4
    assert all(history == histories[0] for history in histories)
    assert histories[0]
    assert own.stop() == 0
