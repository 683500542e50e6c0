"""Long-running operations in memory, for the tests' server: each reports its progress, then ends."""

# ruff: noqa: N802 - names of the generated base class
from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from tests.client.wire import Failure

from knowledgesmith.v1 import operation_pb2

if TYPE_CHECKING:
    from tests.client.fake_core import Fake

Stage = tuple[str, int, int]
"""What an operation does, how much of it is done, and of how much."""
STAGES: tuple[Stage, ...] = (("read", 4, 0), ("write facts", 2, 8))
_MOMENT_S = 0.02
"""How long a wait for an endless operation takes, so that its client does not spin."""


@dataclass
class Held:
    """One operation; ``stages`` are those that it has yet to report."""

    name: str
    method: str
    resource_id: str
    actor: str
    request_id: str
    outcome: Message | Failure
    stages: list[Stage]
    now: Stage = ("", 0, 0)
    cancel_requested: bool = False
    done: bool = False

    def step(self) -> None:
        """Go on by one report; after the last one it has ended."""
        if self.stages:
            self.now = self.stages.pop(0)
        else:
            self.done = True

    def message(self) -> operations_pb2.Operation:
        """The operation as it is now."""
        stage, done, total = self.now
        metadata = operation_pb2.OperationMetadata(
            method=self.method,
            resource_id=self.resource_id,
            actor=self.actor,
            stage=stage,
            done=done,
            total=total,
            attempt=1,
            cancel_requested=self.cancel_requested,
        )
        metadata.create_time.FromSeconds(1_700_000_000)
        made = operations_pb2.Operation(name=self.name, done=self.done)
        if self.done:
            metadata.finish_time.FromSeconds(1_700_000_060)
            if isinstance(self.outcome, Failure):
                made.error.CopyFrom(self.outcome.status())
            else:
                made.response.Pack(self.outcome)
        made.metadata.Pack(metadata)
        return made


@dataclass
class Operations:
    """All operations by name.

    Operations of the methods in ``endless`` run until they are cancelled; ``outcomes`` holds failures that the next
    operations of a method end with.
    """

    endless: set[str] = field(default_factory=set[str])
    outcomes: dict[str, list[Failure]] = field(default_factory=dict[str, list[Failure]])
    held: dict[str, Held] = field(default_factory=dict[str, Held])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _never: threading.Event = field(default_factory=threading.Event)

    def begin(
        self, method: str, *, request_id: str, resource_id: str, actor: str, response: Message
    ) -> operations_pb2.Operation:
        """A new operation, or the one that this request began before."""
        with self._lock:
            for known in self.held.values():
                if request_id and (known.method, known.request_id) == (method, request_id):
                    return known.message()
            failures = self.outcomes.get(method)
            made = Held(
                name=f"operations/{uuid.uuid5(uuid.NAMESPACE_URL, f'{method} {len(self.held)}')}",
                method=method,
                resource_id=resource_id,
                actor=actor,
                request_id=request_id,
                outcome=failures.pop(0) if failures else response,
                stages=list(STAGES),
            )
            self.held[made.name] = made
            return made.message()

    def find(self, name: str, context: grpc.ServicerContext) -> Held:
        """An operation that must exist."""
        found = self.held.get(name)
        if found is None:
            Failure(
                code=grpc.StatusCode.NOT_FOUND,
                reason="OPERATION_NOT_FOUND",
                message=f"No operation has the name {name}.",
                metadata={"field": "name", "value": name},
            ).abort(context)
        return found

    def wait(self, found: Held) -> operations_pb2.Operation:
        """An operation one report later; an endless one that has reported everything after a moment."""
        if found.method in self.endless and not found.stages:
            self._never.wait(_MOMENT_S)
            return found.message()
        with self._lock:
            found.step()
            return found.message()

    def cancel(self, found: Held) -> None:
        """End an operation that has not ended."""
        with self._lock:
            if not found.done:
                found.cancel_requested = found.done = True
                found.outcome = Failure(
                    code=grpc.StatusCode.CANCELLED, reason="CANCELLED", message="It was cancelled at your request."
                )


class OperationsPart(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]  # its package has no types
    """The standard service over the operations of one server."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    def GetOperation(self, request: Any, context: Any) -> operations_pb2.Operation:
        self.fake.take("GetOperation", request, context)
        return self.fake.operations.find(request.name, context).message()

    def ListOperations(self, request: Any, context: Any) -> operations_pb2.ListOperationsResponse:
        self.fake.take("ListOperations", request, context)
        found = [held.message() for held in self.fake.operations.held.values()]
        for operation in found:
            operation.ClearField("response")  # as the server, which tells it of one alone
        return operations_pb2.ListOperationsResponse(operations=found)

    def WaitOperation(self, request: Any, context: Any) -> operations_pb2.Operation:
        self.fake.take("WaitOperation", request, context)
        return self.fake.operations.wait(self.fake.operations.find(request.name, context))

    def CancelOperation(self, request: Any, context: Any) -> empty_pb2.Empty:
        self.fake.take("CancelOperation", request, context)
        self.fake.operations.cancel(self.fake.operations.find(request.name, context))
        return empty_pb2.Empty()

    def DeleteOperation(self, request: Any, context: Any) -> empty_pb2.Empty:
        self.fake.take("DeleteOperation", request, context)
        del self.fake.operations.held[self.fake.operations.find(request.name, context).name]
        return empty_pb2.Empty()
