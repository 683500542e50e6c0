"""A small server in this process that implements the generated servicers with canned data, for the client's tests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import grpc
from google.longrunning import operations_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer
from tests.client.fake_core import Fake
from tests.client.fake_graphs import Archives, Cases, Catalogue, Graphs, Probes
from tests.client.fake_models import Branches, Interventions, Models
from tests.client.fake_operations import OperationsPart
from tests.client.fake_propagation import Propagation

from knowledgesmith.v1 import (
    archive_pb2_grpc,
    branch_pb2_grpc,
    case_pb2_grpc,
    catalogue_pb2_grpc,
    graph_pb2_grpc,
    intervention_pb2_grpc,
    model_pb2_grpc,
    probe_pb2_grpc,
    propagation_pb2_grpc,
)


@dataclass
class FakeServer(Fake):
    """The server, from ``with`` on."""

    target: str = "127.0.0.1:0"
    _server: grpc.Server | None = None

    def __enter__(self) -> Self:
        server = grpc.server(ThreadPoolExecutor(max_workers=8))
        graph_pb2_grpc.add_GraphServiceServicer_to_server(Graphs(self), server)
        archive_pb2_grpc.add_ArchiveServiceServicer_to_server(Archives(self), server)
        catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server(Catalogue(self), server)
        case_pb2_grpc.add_CaseServiceServicer_to_server(Cases(self), server)
        probe_pb2_grpc.add_ProbeServiceServicer_to_server(Probes(self), server)
        model_pb2_grpc.add_ModelServiceServicer_to_server(Models(self), server)
        branch_pb2_grpc.add_BranchServiceServicer_to_server(Branches(self), server)
        intervention_pb2_grpc.add_InterventionServiceServicer_to_server(Interventions(self), server)
        propagation_pb2_grpc.add_PropagationServiceServicer_to_server(Propagation(self), server)
        operations_pb2_grpc.add_OperationsServicer_to_server(OperationsPart(self), server)
        health = HealthServicer()
        health.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        self.target = f"127.0.0.1:{server.add_insecure_port(self.target)}"
        server.start()
        self._server = server
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop(grace=0).wait()
