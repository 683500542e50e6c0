"""Gives requests that say none a ``request_id``, as every client does that can be cut off."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def keyed(request: M) -> M:
    """The request, or a copy with a fresh key where it or its header takes one and has none."""
    names = request.DESCRIPTOR.fields_by_name
    where = "header" if "header" in names and request.HasField("header") else ""
    holder: Any = request.header if where else request  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    if "request_id" not in holder.DESCRIPTOR.fields_by_name or holder.request_id:
        return request
    copy = type(request)()
    copy.CopyFrom(request)
    changed: Any = copy
    (changed.header if where else changed).request_id = str(uuid.uuid4())
    return copy


def _all_keyed(requests: Iterator[M]) -> Iterator[M]:
    for request in requests:
        yield keyed(request)


class Keyed(grpc.UnaryUnaryClientInterceptor, grpc.StreamUnaryClientInterceptor):  # pyright: ignore[reportMissingTypeArgument]
    """Puts a key into what goes through a channel."""

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """One request."""
        return continuation(client_call_details, keyed(request))

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        """An upload, whose header holds the key."""
        return continuation(client_call_details, _all_keyed(request_iterator))
