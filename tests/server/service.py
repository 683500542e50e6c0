"""Runs a real server process and speaks to it with the generated stubs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
import psutil
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.server.keyed import Keyed

from knowledgesmith.graph_schema.embedded.login import read as login_of
from knowledgesmith.graph_schema.embedded.settings import Home
from knowledgesmith.graph_schema.storage.store import StoreSettings
from knowledgesmith.v1 import (
    archive_pb2_grpc,
    branch_pb2,
    branch_pb2_grpc,
    case_pb2_grpc,
    catalogue_pb2_grpc,
    common_pb2,
    graph_pb2,
    graph_pb2_grpc,
    intervention_pb2,
    intervention_pb2_grpc,
    model_pb2_grpc,
    probe_pb2_grpc,
    propagation_pb2_grpc,
)

M = TypeVar("M", bound=Message)

PATIENCE: Final = 900.0
"""Seconds after which something hangs. A loaded machine takes minutes where a quiet one takes a second."""

_OWNED: Final = """
import ctypes, runpy, signal
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a test run that is broken off leaves no server behind
runpy.run_module("knowledgesmith.server", run_name="__main__", alter_sys=True)
"""

TERMINAL = {
    intervention_pb2.INTERVENTION_STATE_SUCCEEDED,
    intervention_pb2.INTERVENTION_STATE_FAILED,
    intervention_pb2.INTERVENTION_STATE_CANCELLED,
    intervention_pb2.INTERVENTION_STATE_DISCARDED,
}


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class OperationFailed(Exception):
    """An operation ended with an error."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status


@dataclass
class Service:
    """A server process of its own, with stubs."""

    data_dir: Path
    neo4j_uri: str = ""
    flags: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)

    def start(self) -> Service:
        """Start the process and wait until it serves."""
        env = {**os.environ, "KSMITH_NEO4J_URI": self.neo4j_uri, "OMP_NUM_THREADS": "1", "KSMITH_NEO4J_HEAP": "512m"}
        command = [sys.executable, "-c", _OWNED, "--listen", f"127.0.0.1:{self.port}"]
        command += [
            "--metrics",
            f"127.0.0.1:{self.metrics_port}",
            "--data-dir",
            str(self.data_dir),
            "--device",
            "cpu",
            *self.flags,
        ]
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.log = (self.data_dir / "server.log").open("ab")
        self.process = subprocess.Popen(command, env=env, stdout=self.log, stderr=self.log)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", [("grpc.max_reconnect_backoff_ms", 500)])
        keyed = grpc.intercept_channel(self.channel, Keyed())
        self.graph = graph_pb2_grpc.GraphServiceStub(keyed)
        self.archive = archive_pb2_grpc.ArchiveServiceStub(keyed)
        self.branch = branch_pb2_grpc.BranchServiceStub(keyed)
        self.case = case_pb2_grpc.CaseServiceStub(keyed)
        self.catalogue = catalogue_pb2_grpc.CatalogueServiceStub(keyed)
        self.operations: Any = operations_pb2_grpc.OperationsStub(keyed)
        self.probe = probe_pb2_grpc.ProbeServiceStub(keyed)
        self.model = model_pb2_grpc.ModelServiceStub(keyed)
        self.intervention = intervention_pb2_grpc.InterventionServiceStub(keyed)
        self.propagation = propagation_pb2_grpc.PropagationServiceStub(keyed)
        self._await_health()
        return self

    def _await_health(self) -> None:
        health: Any = health_pb2_grpc.HealthStub(self.channel)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.close()
                raise RuntimeError((self.data_dir / "server.log").read_text()[-3000:])
            try:
                answer = health.Check(health_pb2.HealthCheckRequest(), timeout=5)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.RpcError:
                pass
            time.sleep(0.2)
        self.kill()  # nobody holds this object yet, so nobody else would end the process
        raise RuntimeError("the server does not become ready")

    def stop(self) -> int:
        """End it gracefully; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.close()
        return status

    def kill(self) -> None:
        """End it as a power cut would; its children notice by themselves."""
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        """Close what belongs to this end."""
        self.channel.close()
        self.log.close()

    def store_settings(self) -> StoreSettings:
        """How another client reaches its database."""
        info = self.graph.GetConnectionInfo(graph_pb2.GetConnectionInfoRequest(), timeout=PATIENCE)
        login = login_of(Home.at(self.data_dir / "neo4j")) if info.embedded else None
        return StoreSettings(uri=info.uri, user=info.user, password=login.password if login else "")

    def child(self, *words: str) -> psutil.Process:
        """The descendant whose command line holds all ``words``."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            if all(any(word in part for part in process.cmdline()) for word in words):
                return process
        raise LookupError(words)

    def worker(self) -> psutil.Process:
        """The worker process."""
        return self.child("knowledgesmith.server.worker")

    def ended(self, operation: operations_pb2.Operation) -> operations_pb2.Operation:
        """An operation when it has ended, whatever came of it."""
        deadline = time.monotonic() + PATIENCE
        while not operation.done:
            assert time.monotonic() < deadline, f"{operation.name} goes on and on"
            request = operations_pb2.WaitOperationRequest(name=operation.name)
            request.timeout.FromSeconds(30)
            operation = self.operations.WaitOperation(request, timeout=PATIENCE)
        return operation

    def result(self, operation: operations_pb2.Operation, kind: type[M]) -> M:
        """What an operation answers with when it has ended.

        Raises:
            OperationFailed: it ended with an error.
        """
        operation = self.ended(operation)
        if operation.HasField("error"):
            raise OperationFailed(operation.error)
        answer = kind()
        assert operation.response.Unpack(answer), operation.response.TypeName()
        return answer

    def import_graph(self, messages: Iterable[graph_pb2.ImportGraphRequest]) -> graph_pb2.ImportGraphResponse:
        """An import with its whole answer."""
        begun = self.graph.ImportGraph(iter(messages), timeout=PATIENCE)
        return self.result(begun, graph_pb2.ImportGraphResponse)

    def roll_back(self, branch: str, **fields: Any) -> branch_pb2.RollbackBranchResponse:
        """One revision back."""
        request = branch_pb2.RollbackBranchRequest(branch_id=branch, **fields)
        return self.result(self.branch.RollbackBranch(request, timeout=PATIENCE), branch_pb2.RollbackBranchResponse)

    def branch_of(self, branch: str) -> branch_pb2.Branch:
        """A branch as it is now."""
        return self.branch.GetBranch(branch_pb2.GetBranchRequest(branch_id=branch), timeout=PATIENCE).branch

    def spec(
        self, branch: str, *changes: tuple[str, ...], goal: str = "EDIT", method: str = "finetune", **fields: Any
    ) -> intervention_pb2.InterventionSpec:
        """A short intervention; changes are (subject, relation, old, new)."""
        items = [
            intervention_pb2.FactChange(subject=c[0], relation=c[1], old_object=c[2], new_object=(*c, "")[3])
            for c in changes
        ]
        values: dict[str, Any] = {"max_probes": 300, **fields}
        return intervention_pb2.InterventionSpec(
            branch_id=branch,
            goal=common_pb2.Goal.Value(f"GOAL_{goal}"),
            changes=items,
            method=method,
            **values,
        )

    def create(self, spec: intervention_pb2.InterventionSpec, **fields: Any) -> intervention_pb2.Intervention:
        """Queue an intervention."""
        values: dict[str, Any] = {"request_id": str(uuid.uuid4()), **fields}
        request = intervention_pb2.CreateInterventionRequest(spec=spec, **values)
        return self.intervention.CreateIntervention(request, timeout=PATIENCE).intervention

    def get(self, intervention_id: str) -> intervention_pb2.Intervention:
        """One intervention."""
        request = intervention_pb2.GetInterventionRequest(intervention_id=intervention_id)
        return self.intervention.GetIntervention(request, timeout=PATIENCE).intervention

    def wait(
        self, intervention_id: str, seconds: float = PATIENCE, *, until: set[int] | None = None
    ) -> intervention_pb2.Intervention:
        """Wait for a state, riding out restarts."""
        wanted = TERMINAL if until is None else until
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                intervention = self.get(intervention_id)
                if intervention.state in wanted:
                    return intervention
                if intervention.state in TERMINAL:
                    raise AssertionError(intervention)
            except grpc.RpcError as error:
                if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
                    raise
            time.sleep(0.2)
        raise AssertionError(f"still {self.get(intervention_id)} after {seconds} s")

    def events(self, intervention_id: str, after: int = 0) -> list[intervention_pb2.WatchInterventionResponse]:
        """All events of a watch until it ends."""
        request = intervention_pb2.WatchInterventionRequest(intervention_id=intervention_id, after_sequence=after)
        return list(self.intervention.WatchIntervention(request, timeout=PATIENCE))

    def cancel(self, intervention_id: str) -> grpc.StatusCode | None:
        """Cancel; the status of the refusal, None when accepted."""
        request = intervention_pb2.CancelInterventionRequest(intervention_id=intervention_id)
        try:
            self.intervention.CancelIntervention(request, timeout=PATIENCE)
        except grpc.RpcError as error:
            return error.code()
        return None

    def rows(self, intervention_id: str, after: int = 0) -> list[intervention_pb2.BeliefChange]:
        """The belief changes of a watch until it ends."""
        return [row for event in self.events(intervention_id, after) for row in event.batch.changes]


def reason_of(error: grpc.RpcError | OperationFailed) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Status code, reason and metadata of a refused call, or of an operation that ended with an error."""
    if isinstance(error, OperationFailed):
        codes = {code.value[0]: code for code in grpc.StatusCode}
        return codes[error.status.code], *_info_of(error.status)
    trailing: Any = error.trailing_metadata()
    for key, value in trailing or ():
        if key == "grpc-status-details-bin":
            return error.code(), *_info_of(status_pb2.Status.FromString(value))
    return error.code(), "", {}


def _info_of(status: status_pb2.Status) -> tuple[str, dict[str, str]]:
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return info.reason, dict(info.metadata)
