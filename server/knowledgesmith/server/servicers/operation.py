"""google.longrunning.Operations: get, list, cancel, delete and wait for operations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import empty_pb2

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.operations.records import OperationState
from knowledgesmith.server.operations.engine import LONGEST_WAIT_SECONDS
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_text
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES, fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_MARGIN_SECONDS: Final = 1.0
"""What is left of a call's deadline to answer in, or half of it where that is less."""
_PARENT: Final = "operations"
_TERM: Final = re.compile(r'\s*(method|done)\s*=\s*"?([A-Za-z]+)"?\s*')
_AND: Final = re.compile(r"\s+AND\s+")
_DONE: Final = {
    "true": tuple(state for state in OperationState if state is not OperationState.RUNNING),
    "false": (OperationState.RUNNING,),
}


class OperationsServicer(operations_pb2_grpc.OperationsServicer):  # type: ignore[misc]  # googleapis has no types
    """See ``google/longrunning/operations.proto``; metadata are those of ``operation.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._operations = parts.operations

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, context: Context
    ) -> operations_pb2.Operation:
        """One operation as it is now."""
        return await self._operations.get(request.name)

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, context: Context
    ) -> operations_pb2.ListOperationsResponse:
        """Operations, newest first."""
        _check_listing(request)
        method, states = filter_from(check_text(request.filter, "filter"))
        listing = ["ListOperations", method, *states]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int, str)
        before = (int(position[0]), str(position[1])) if position else None
        found = await self._operations.list(method=method, states=states, before=before, limit=size + 1)
        shown = fitting((operation for _, operation in found[:size]), limit=PAGE_BYTES)
        token = ""
        if len(found) > len(shown):
            last = found[len(shown) - 1][0]
            token = paging.encode(listing, [last.created_ms, last.id])
        return operations_pb2.ListOperationsResponse(operations=shown, next_page_token=token)

    async def CancelOperation(
        self, request: operations_pb2.CancelOperationRequest, context: Context
    ) -> empty_pb2.Empty:
        """Ask for the end of an operation; it ends at its next look, or has been finished before."""
        await self._operations.cancel(request.name)
        return empty_pb2.Empty()

    async def DeleteOperation(
        self, request: operations_pb2.DeleteOperationRequest, context: Context
    ) -> empty_pb2.Empty:
        """Forget an operation that has ended, with its files."""
        await self._operations.delete(request.name)
        return empty_pb2.Empty()

    async def WaitOperation(
        self, request: operations_pb2.WaitOperationRequest, context: Context
    ) -> operations_pb2.Operation:
        """One operation once it has ended, or as it is when the time is over."""
        seconds = LONGEST_WAIT_SECONDS
        if request.HasField("timeout"):
            seconds = request.timeout.seconds + request.timeout.nanos / 1e9
        if seconds < 0:
            raise InvalidInput(
                "must not be negative", field="timeout", value=seconds, hint="Leave it out for a minute."
            )
        left = cast("float | None", context.time_remaining())
        if left is not None:  # the answer must be there before the call's own deadline
            seconds = min(seconds, left - min(_MARGIN_SECONDS, left / 2))
        return await self._operations.wait(request.name, seconds)


def filter_from(text: str) -> tuple[str, Sequence[OperationState]]:
    """Method (empty = all) and states of a filter: ``method=ImportGraph``, ``done=false``, or both with ``AND``.

    Raises:
        InvalidInput: anything else.
    """
    terms: dict[str, str] = {}
    for part in _AND.split(text) if text.strip() else ():
        found = _TERM.fullmatch(part)
        if found is None or found[1] in terms or (found[1] == "done" and found[2] not in _DONE):
            raise InvalidInput(
                "not a filter of operations",
                field="filter",
                value=text,
                hint="Use method=NAME, done=true or done=false, or two of them with AND between.",
            )
        terms[found[1]] = found[2]
    return terms.get("method", ""), _DONE.get(terms.get("done", ""), tuple(OperationState))


def _check_listing(request: operations_pb2.ListOperationsRequest) -> None:
    if request.name not in {"", _PARENT}:
        raise InvalidInput("no such collection", field="name", value=request.name, hint=f"Use {_PARENT}.")
    if request.return_partial_success:
        raise InvalidInput("is not supported", field="return_partial_success", hint="Leave it out.")
