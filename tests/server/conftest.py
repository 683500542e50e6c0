"""One server process for most service tests: the test run's Neo4j, a tiny random model, and a small world."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.service import PATIENCE, Service
from tests.server.world import upload
from tests.taught import teach

from knowledgesmith.editors.testing.tiny import save_checkpoint, tiny_llama
from knowledgesmith.graph_schema.storage.store import GraphStore
from knowledgesmith.v1 import branch_pb2, model_pb2


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model on disk."""
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(tiny_llama(), folder)
    return folder


@pytest.fixture(scope="session")
def taught_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that learnt something, on disk; teaching it takes longer than most tests that ask it."""
    return save_checkpoint(teach("llama"), tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="session")
def service(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running server with a database of its own that knows the model ``tiny``."""
    running = Service(data_dir=tmp_path_factory.mktemp("server")).start()
    register(running, tiny_checkpoint)
    yield running
    assert running.stop() == 0


def register(running: Service, checkpoint: Path) -> None:
    """Register the tiny model."""
    request = model_pb2.RegisterModelRequest(model_id="tiny", path=str(checkpoint))
    running.result(running.model.RegisterModel(request, timeout=PATIENCE), model_pb2.RegisterModelResponse)


def open_branch(running: Service, graph_id: str, *, select: bool = True) -> str:
    """A fresh branch of ``tiny`` on a graph."""
    branch = f"b_{uuid.uuid4().hex[:16]}"
    request = branch_pb2.CreateBranchRequest(branch_id=branch, model_id="tiny", graph_id=graph_id, select=select)
    running.branch.CreateBranch(request, timeout=PATIENCE)
    return branch


@pytest.fixture(scope="session")
def second_client(service: Service) -> Iterator[GraphStore]:
    """Another client on the same database."""
    connected = GraphStore.connect(service.store_settings())
    yield connected
    connected.close()


@pytest.fixture
def world(service: Service, graph_id: str) -> str:
    """A graph of its own for each test, imported over the wire."""
    service.import_graph(upload(graph_id))
    return graph_id


@pytest.fixture
def branch(service: Service, world: str) -> str:
    """A branch on that graph."""
    return open_branch(service, world)
