"""What the services of the tests' server share: recorded calls, failures to come, scripts and canned answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.longrunning import operations_pb2
from google.protobuf.message import Message
from tests.client import wire
from tests.client.fake_operations import Operations
from tests.client.wire import Failure, Watch

from knowledgesmith.v1 import cypher_pb2, intervention_pb2


def _rows() -> list[cypher_pb2.CypherRow]:
    return [wire.row("Japan", 1), wire.row("\x1b[31mred", None)]


@dataclass
class Fake:
    """Requests are recorded, failures are taken from a queue per method.

    ``watches`` holds one script a connection: messages to send, and failures to end with.
    """

    calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    metadata: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    failures: dict[str, list[Failure]] = field(default_factory=dict[str, list[Failure]])
    watches: list[list[Watch | Failure]] = field(default_factory=list[list[Watch | Failure]])
    operations: Operations = field(default_factory=Operations)
    interventions: int = 1
    branches: tuple[str, ...] = ("main",)
    answer: Callable[[str, str], str] | None = None
    cypher_rows: list[cypher_pb2.CypherRow] = field(default_factory=_rows)
    rates: dict[str, Any] = field(default_factory=lambda: {"verdict_scheme": 2, "placebo_intervention_id": "i0"})
    warnings: list[intervention_pb2.PlanWarning] = field(default_factory=list[intervention_pb2.PlanWarning])

    def take(self, name: str, request: Message, context: grpc.ServicerContext) -> None:
        """Record a call, and fail it if a failure waits for this method."""
        self.calls.append((name, request))
        self.metadata.append(_metadata(context))
        if self.failures.get(name):
            self.failures[name].pop(0).abort(context)

    def requests(self, name: str) -> list[Any]:
        """The requests that a method received."""
        return [request for called, request in self.calls if called == name]


class Part:
    """One service of the server."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    def stream(self, name: str, requests: Iterator[Any], context: grpc.ServicerContext) -> Any:
        """Record every message of a stream of requests, and return the header that stands first."""
        received: list[Any] = []
        for request in requests:
            self.fake.take(name, request, context)
            received.append(request)
        return received[0].header

    def begin(
        self, name: str, asked: Any, context: grpc.ServicerContext, response: Message, *, about: str
    ) -> operations_pb2.Operation:
        """Begin the operation of a method.

        Args:
            name: the method.
            asked: the request, or the header of a stream of requests; it has the request id.
            context: the call.
            response: what the operation ends with.
            about: id of the resource.
        """
        return self.fake.operations.begin(
            name,
            request_id=asked.request_id,
            resource_id=about,
            actor=_metadata(context).get("x-ksmith-actor", ""),
            response=response,
        )

    def begin_unary(
        self, name: str, request: Any, context: grpc.ServicerContext, response: Message, *, about: str
    ) -> operations_pb2.Operation:
        """Record the call, and begin its operation."""
        self.fake.take(name, request, context)
        return self.begin(name, request, context, response, about=about)


def _metadata(context: grpc.ServicerContext) -> dict[str, str]:
    return {key: str(value) for key, value in context.invocation_metadata()}
