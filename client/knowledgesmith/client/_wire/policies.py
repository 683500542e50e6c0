"""How a method is called: its path, how long it may take, and whether it may be sent again, as its descriptor says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from google.longrunning import operations_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.v1 import options_pb2

ACTOR_KEY: Final = "x-ksmith-actor"
"""Metadata of a call that names who asks."""
_REPEATABLE: Final = (MethodOptions.NO_SIDE_EFFECTS, MethodOptions.IDEMPOTENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a method is called.

    Attributes:
        path: of the method.
        duration: how long it may take where the caller sets no deadline.
        repeatable: whether it may be sent again when nobody knows what became of it.
    """

    path: str
    duration: options_pb2.MethodDuration.ValueType
    repeatable: bool


def _quick(path: str) -> Policy:
    return Policy(path=path, duration=options_pb2.METHOD_DURATION_QUICK, repeatable=True)


_STANDARD: Final[Mapping[type[Message], Policy]] = {
    health_pb2.HealthCheckRequest: _quick("/grpc.health.v1.Health/Check"),
    operations_pb2.GetOperationRequest: _quick("/google.longrunning.Operations/GetOperation"),
    operations_pb2.ListOperationsRequest: _quick("/google.longrunning.Operations/ListOperations"),
    operations_pb2.WaitOperationRequest: _quick("/google.longrunning.Operations/WaitOperation"),
    operations_pb2.CancelOperationRequest: _quick("/google.longrunning.Operations/CancelOperation"),
    operations_pb2.DeleteOperationRequest: _quick("/google.longrunning.Operations/DeleteOperation"),
}
"""Methods of the standard services, whose descriptors say nothing of this."""


def policy_of(request: type[Message]) -> Policy:
    """The policy of the one method that takes this request.

    Raises:
        LookupError: no method does.
    """
    return _STANDARD.get(request) or _declared(request.DESCRIPTOR)


@cache
def _declared(request: Descriptor) -> Policy:
    for service in request.file.services_by_name.values():
        for method in service.methods:
            if method.input_type is request:
                options = method.GetOptions()
                return Policy(
                    path=f"/{service.full_name}/{method.name}",
                    duration=options.Extensions[options_pb2.policy].duration,
                    repeatable=options.idempotency_level in _REPEATABLE,
                )
    raise LookupError(request.full_name)


def check_actor(actor: str) -> str:
    """Return ``actor`` if it can travel in metadata.

    Raises:
        InvalidInput: it is empty, longer than 128 characters, or not printable ASCII.
    """
    if not actor or len(actor) > 128 or not (actor.isascii() and actor.isprintable()):
        raise InvalidInput(
            "The actor's name cannot be sent.",
            field="actor",
            value=ascii(actor[:60]),
            hint="Use 1 to 128 printable ASCII characters.",
        )
    return actor
