"""Domain errors as ``google.rpc.Status`` and back (AIP-193: one ErrorInfo, every dynamic word in the metadata).

``error.proto`` says which status a reason ends a call with.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc
from google.rpc import error_details_pb2, status_pb2

from knowledgesmith.graph_schema import errors
from knowledgesmith.v1 import error_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from knowledgesmith.graph_schema.errors import KnowledgeSmithError

DOMAIN = "knowledgesmith"
DETAILS_KEY = "grpc-status-details-bin"
_PREFIX: Final = "ERROR_REASON_"
_METADATA_BYTES = 4_000
"""Trailers of over 8 KiB are refused, and the status with them; the long tail of a list is left out."""


def _statuses() -> Mapping[str, grpc.StatusCode]:
    codes: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
    values = error_pb2.ErrorReason.DESCRIPTOR.values
    return MappingProxyType(
        {
            value.name.removeprefix(_PREFIX): codes[value.GetOptions().Extensions[error_pb2.status]]
            for value in values
            if value.number
        }
    )


STATUSES: Final = _statuses()
"""The status that each reason ends a call with."""


def code_of(error: KnowledgeSmithError) -> grpc.StatusCode:
    """Status code of a domain error."""
    return STATUSES[error.reason]


def status_of(error: KnowledgeSmithError) -> status_pb2.Status:
    """A domain error on the wire, with one ``ErrorInfo``; :func:`error_of` is the inverse."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata_of(error))
    status = status_pb2.Status(code=code_of(error).value[0], message=message_of(error))
    status.details.add().Pack(info)
    return status


def error_of(status: status_pb2.Status) -> KnowledgeSmithError:
    """The domain error of a status; one without our ``ErrorInfo`` has no reason of ours."""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == DOMAIN:
            return rebuild(info.reason, status.message, dict(info.metadata))
    return errors.KnowledgeSmithError(status.message)


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
    """Trailing metadata that carries the status."""
    return ((DETAILS_KEY, status_of(error).SerializeToString()),)


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
