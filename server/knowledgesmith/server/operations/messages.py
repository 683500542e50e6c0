"""Operations on the wire, and their names."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from google.longrunning import operations_pb2
from google.protobuf import any_pb2
from google.rpc import status_pb2

from knowledgesmith.graph_schema.operations.operations import not_found
from knowledgesmith.server.wire.conversions import timestamp
from knowledgesmith.v1 import operation_pb2

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from knowledgesmith.graph_schema.operations.records import OperationRecord

_PREFIX: Final = "operations/"
_NAME: Final = re.compile(r"operations/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def name_of(operation_id: str) -> str:
    """Name of an operation on the wire."""
    return _PREFIX + operation_id


def id_of(name: str) -> str:
    """Id of an operation from its name.

    Raises:
        OperationNotFound: no operation can have this name.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise not_found(name.removeprefix(_PREFIX))
    return found[1]


def operation_to(record: OperationRecord) -> operations_pb2.Operation:
    """An operation on the wire; one that has ended has its response or its error."""
    metadata = operation_pb2.OperationMetadata(
        method=record.method,
        resource_id=record.resource_id,
        actor=record.actor,
        stage=record.stage,
        done=record.done,
        total=record.total,
        attempt=record.attempt,
        cancel_requested=record.cancel_requested,
        create_time=timestamp(record.created_ms),
        finish_time=timestamp(record.finished_ms),
    )
    operation = operations_pb2.Operation(name=name_of(record.id), done=record.ended)
    operation.metadata.Pack(metadata)
    if record.error:
        operation.error.CopyFrom(status_pb2.Status.FromString(record.error))
    elif record.result:
        operation.response.CopyFrom(any_pb2.Any.FromString(record.result))
    return operation


def packed(message: Message) -> bytes:
    """A response as it is kept."""
    holder = any_pb2.Any()
    holder.Pack(message)
    return holder.SerializeToString()


def body_digest(method: str, request: Message, uploaded: str) -> str:
    """Digest of what is asked for: the request without its request id, and what was uploaded with it."""
    body = type(request)()
    body.CopyFrom(request)
    body.ClearField("request_id")
    parts = (method.encode(), body.SerializeToString(deterministic=True), uploaded.encode())
    return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()
