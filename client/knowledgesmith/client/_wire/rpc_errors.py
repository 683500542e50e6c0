"""The server's error details turned into the client's errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

from knowledgesmith.client._errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidInput,
    KnowledgeSmithClientError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    ServerFault,
    ServerUnreachable,
    Unavailable,
)

DOMAIN: Final = "knowledgesmith"
_DETAILS_KEY: Final = "grpc-status-details-bin"
_BY_CODE: Final[Mapping[grpc.StatusCode, type[KnowledgeSmithClientError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.OUT_OF_RANGE: InvalidInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.ABORTED: Aborted,
    grpc.StatusCode.UNAVAILABLE: ServerUnreachable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: PermissionDenied,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}
_CODES: Final[Mapping[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}
_MESSAGES: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.UNAVAILABLE: "No server answers, or the connection broke.",
    grpc.StatusCode.DEADLINE_EXCEEDED: "The answer did not come in time.",
}
_HINTS: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.UNAVAILABLE: "Start the server with `ksmith up`, or name its address with --server.",
    grpc.StatusCode.DEADLINE_EXCEEDED: "Look at `ksmith interventions`, or give more time (timeout_s).",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "The message is larger than the other side takes: split the request.",
    grpc.StatusCode.UNIMPLEMENTED: "Client and server are of different releases.",
}


def is_unavailable(error: grpc.RpcError) -> bool:
    """Whether the server was away, so that it may not even have seen the call."""
    return cast("grpc.Call", error).code() is grpc.StatusCode.UNAVAILABLE


def _tree(root: type[KnowledgeSmithClientError]) -> Iterator[type[KnowledgeSmithClientError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


_BY_REASON: Final[Mapping[str, type[KnowledgeSmithClientError]]] = {
    kind.default_reason: kind for kind in _tree(KnowledgeSmithClientError)
}


def error_class(reason: str, code: grpc.StatusCode | None) -> type[KnowledgeSmithClientError]:
    """The class for a reason; for one that this release does not know, the class of its gRPC status."""
    fallback = KnowledgeSmithClientError if code is None else _BY_CODE.get(code, ServerFault)
    if fallback is ServerUnreachable:
        fallback = Unavailable  # it did answer, if only to say that it cannot work
    return _BY_REASON.get(reason, fallback)


def from_rpc_error(error: grpc.RpcError) -> KnowledgeSmithClientError:
    """Rebuild the domain error from a failed call; without details the gRPC status decides the class."""
    call = cast("grpc.Call", error)
    code, details = call.code(), call.details() or ""
    for key, value in cast("Iterable[tuple[str, str | bytes]]", call.trailing_metadata() or ()):
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return _from(code, details, status_pb2.Status.FromString(value))
    return _from(code, details, status_pb2.Status())


def from_status(status: status_pb2.Status) -> KnowledgeSmithClientError:
    """Rebuild the domain error that an operation ended with."""
    return _from(_CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message, status)


def _from(code: grpc.StatusCode, details: str, status: status_pb2.Status) -> KnowledgeSmithClientError:
    info = _error_info(status)
    if info is None:
        kind = _BY_CODE.get(code, ServerFault)
        message = _MESSAGES.get(code, details)
        return kind(message or code.name, hint=_HINTS.get(code, ""), code=code, metadata={"details": details})
    metadata = dict(info.metadata)
    field, value, hint = (metadata.pop(key, "") for key in ("field", "value", "hint"))
    message = metadata.pop("message", "") or details.removesuffix(hint).rstrip() or info.reason
    return error_class(info.reason, code)(
        message, reason=info.reason, field=field, value=value, hint=hint, code=code, metadata=metadata
    )


def _error_info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo | None:
    """The ``ErrorInfo`` of our domain, if there is one."""
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            return info
    return None
