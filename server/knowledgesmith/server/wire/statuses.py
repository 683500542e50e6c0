"""The one table from domain errors to gRPC status (AIP-193: one ErrorInfo, every dynamic word in the metadata)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from knowledgesmith.graph_schema import errors

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.errors import KnowledgeSmithError

DOMAIN = "knowledgesmith"
DETAILS_KEY = "grpc-status-details-bin"
_METADATA_BYTES = 4_000
"""Trailers of over 8 KiB are refused, and the status with them; the long tail of a list is left out."""

STATUS_OF: tuple[tuple[type[KnowledgeSmithError], grpc.StatusCode], ...] = (
    (errors.InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (errors.FailedPrecondition, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.Aborted, grpc.StatusCode.ABORTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.ResourceExhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Cancelled, grpc.StatusCode.CANCELLED),
)


def code_of(error: KnowledgeSmithError) -> grpc.StatusCode:
    """Status code of a domain error; INTERNAL for a class outside the table."""
    for kind, code in STATUS_OF:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.INTERNAL


def metadata_of(error: KnowledgeSmithError) -> dict[str, str]:
    """Field, value and hint beside what the error itself put into its metadata."""
    own = {"field": error.field, "value": error.value, "hint": error.hint, "message": error.message}
    found: dict[str, str] = {}
    left = _METADATA_BYTES
    for key, text in {**own, **error.metadata}.items():
        value = _cut(text, 500)
        left -= len(key) + len(value.encode())
        if value and left > 0:
            found[key] = value
    return found


def message_of(error: KnowledgeSmithError) -> str:
    """The status message, short enough to travel in a trailer whatever alphabet it is in."""
    return _cut(error.describe(), 1000)


def _cut(text: str, size: int) -> str:
    """At most ``size`` bytes of UTF-8: trailers are limited in bytes, and too long ones lose the whole status."""
    return text.encode(errors="replace")[:size].decode(errors="ignore")


def trailers(error: KnowledgeSmithError) -> tuple[tuple[str, bytes], ...]:
    """Trailing metadata that carries ``google.rpc.Status`` with one ``ErrorInfo``."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata_of(error))
    detail = any_pb2.Any()
    detail.Pack(info)
    status = status_pb2.Status(code=code_of(error).value[0], message=message_of(error), details=[detail])
    return ((DETAILS_KEY, status.SerializeToString()),)


_BY_REASON: dict[str, type[KnowledgeSmithError]] = {}


def _walk(kind: type[KnowledgeSmithError]) -> None:
    _BY_REASON.setdefault(kind.reason, kind)
    for sub in kind.__subclasses__():
        _walk(sub)


_walk(errors.KnowledgeSmithError)


def rebuild(reason: str, message: str, metadata: dict[str, str]) -> KnowledgeSmithError:
    """The error that another process of the service raised, rebuilt from its reason."""
    own = {key: text for key, text in metadata.items() if key not in {"field", "value", "hint", "message"}}
    error = _BY_REASON.get(reason, errors.KnowledgeSmithError)(
        metadata.get("message", message), field=metadata.get("field", ""), hint=metadata.get("hint", ""), metadata=own
    )
    error.value = metadata.get("value", "")
    return error
