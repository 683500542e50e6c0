"""The server killed in the middle of operations: under the same name each ends as if nothing had happened."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import neo4j
import pytest
from google.longrunning import operations_pb2
from tests.server.service import PATIENCE, Service
from tests.server.test_operations_service import large, metadata_of
from tests.server.world import upload

from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.v1 import graph_pb2, probe_pb2


@contextmanager
def held(neo4j_uri: str, *writes: tuple[str, dict[str, Any]]) -> Generator[None]:
    """Locks that keep certain writes of a server waiting; nothing of it stays."""
    with neo4j.GraphDatabase.driver(neo4j_uri) as driver, driver.session() as session:
        transaction = session.begin_transaction()
        for text, params in writes:
            transaction.run(text, params).consume()  # pyright: ignore[reportArgumentType]
        try:
            yield
        finally:
            transaction.rollback()


def wait_for_stage(service: Service, operation: operations_pb2.Operation, stage: str) -> operations_pb2.Operation:
    """Return once an operation, which locks keep from its end, is at a stage."""
    until = time.monotonic() + PATIENCE
    request = operations_pb2.GetOperationRequest(name=operation.name)
    while True:
        found = service.operations.GetOperation(request, timeout=PATIENCE)
        assert not found.done, found
        if metadata_of(found).stage.startswith(stage):
            return found
        assert time.monotonic() < until, f"does not come to {stage}: {found}"
        time.sleep(0.05)


def generate(service: Service, graph_id: str) -> operations_pb2.Operation:
    request = probe_pb2.GenerateProbeSetRequest(graph_id=graph_id, seed=5, limit_per_kind=30)
    return service.probe.GenerateProbeSet(request, timeout=PATIENCE)


def whole_import(answer: graph_pb2.ImportGraphResponse) -> graph_pb2.ImportGraphResponse:
    """What an import tells, without times, the graph's name, and what only the first look sees as new."""
    told = graph_pb2.ImportGraphResponse()
    told.CopyFrom(answer)
    told.report.seconds = 0
    told.report.ClearField("stage_seconds")
    told.report.ClearField("examples")
    told.graph.id = told.graph.digest = told.report.digest = ""
    return told


def test_killed_in_the_middle_of_an_import_a_deletion_and_a_generation(
    neo4j_uri: str, store: GraphStore, graph_id: str, tmp_path: Path
) -> None:
    kept, gone, new = (f"{graph_id}-{name}" for name in ("kept", "gone", "new"))
    service = Service(data_dir=tmp_path / "server", neo4j_uri=neo4j_uri).start()
    try:
        service.import_graph(upload(kept))
        first = service.import_graph(large(gone))
        begun = generate(service, kept)
        made = service.result(begun, probe_pb2.GenerateProbeSetResponse).probe_set
        forget = probe_pb2.DeleteProbeSetRequest(probe_set_id=made.id)
        service.probe.DeleteProbeSet(forget, timeout=PATIENCE)
        last = store.read("importing/stored", graph_id=gone, after="", limit=100_000)[-1]["uid"]
        entity = {"uid": last}
        with held(
            neo4j_uri,
            ("CREATE (:Entity {graph_id: $graph, uid: $uid})", {**entity, "graph": new}),
            ("MATCH (e:Entity {graph_id: $graph, uid: $uid}) SET e.held = true", {**entity, "graph": gone}),
            ("CREATE (:ProbeSet {id: $id})", {"id": made.id}),
        ):
            deletion = graph_pb2.DeleteGraphRequest(graph_id=gone)
            running = [
                wait_for_stage(service, generate(service, kept), "generate"),
                wait_for_stage(service, service.graph.ImportGraph(iter(large(new)), timeout=PATIENCE), "write"),
                wait_for_stage(service, service.graph.DeleteGraph(deletion, timeout=PATIENCE), "delete"),
            ]
            service.kill()
        service = Service(data_dir=service.data_dir, neo4j_uri=neo4j_uri).start()
        done = [service.ended(one) for one in running]
        assert [one.name for one in done] == [one.name for one in running]
        assert all(metadata_of(one).attempt > 1 for one in done)
        imported = service.result(done[1], graph_pb2.ImportGraphResponse)
        assert whole_import(imported) == whole_import(first)
        deleted = service.result(done[2], graph_pb2.DeleteGraphResponse).deletion
        counted = (deleted.removed["facts"], deleted.removed["entities"])
        assert counted == (first.report.facts_created, first.report.entities_created)
        assert deleted.removed["graphs"] == deleted.removed["versions"] == 1
        assert service.result(done[0], probe_pb2.GenerateProbeSetResponse).probe_set == made
        checked = service.graph.CheckGraph(graph_pb2.CheckGraphRequest(graph_id=new), timeout=PATIENCE)
        assert service.result(checked, graph_pb2.CheckGraphResponse).sound
        let_go = generate(service, kept)
        assert service.stop() == 0
        service = Service(data_dir=service.data_dir, neo4j_uri=neo4j_uri).start()
        again = service.ended(let_go)
        assert service.result(again, probe_pb2.GenerateProbeSetResponse).probe_set.verified > 0
    finally:
        if service.process.poll() is None:
            assert service.stop() == 0


def test_an_import_whose_files_are_gone_fails_and_says_the_way_out(
    neo4j_uri: str, store: GraphStore, graph_id: str, tmp_path: Path
) -> None:
    service = Service(data_dir=tmp_path / "server", neo4j_uri=neo4j_uri).start()
    try:
        with held(neo4j_uri, ("CREATE (:Graph {graph_id: $graph})", {"graph": graph_id})):
            begun = service.graph.ImportGraph(iter(large(graph_id)), timeout=PATIENCE)
            wait_for_stage(service, begun, "read")
            service.kill()
        (service.data_dir / begun.name / "uploads" / "files.json").unlink()
        service = Service(data_dir=service.data_dir, neo4j_uri=neo4j_uri).start()
        done = service.ended(begun)
        assert "send them again with a new request id" in done.error.message
    finally:
        if service.process.poll() is None:
            assert service.stop() == 0


@pytest.fixture(autouse=True)
def _migrated(store: GraphStore) -> None:
    """The database has its schema before it is locked by hand."""
