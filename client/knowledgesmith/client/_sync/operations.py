"""Calls of the standard service of operations."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import builtins
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.empty_pb2 import Empty

from knowledgesmith.client._types.operations import OnProgress

from .base import Namespace, page_size
from .operation import Operation


class Operations(Namespace):
    """Long work of the server: imports, generations, audits, archives, deletions and more, kept for a week."""

    def get(self, *, name: str) -> Operation[Any]:
        """One operation.

        Raises:
            OperationNotFound: no operation has this name.
        """
        request = operations_pb2.GetOperationRequest(name=name)
        found = self._transport.unary(request, operations_pb2.Operation)
        return Operation[Any](self._transport, found, object)

    def list(
        self,
        *,
        filter: str = "",  # noqa: A002 - the word of the wire
        limit: int | None = None,
    ) -> builtins.list[Operation[Any]]:
        """Operations, newest first.

        Args:
            filter: ``method=ImportGraph``, ``done=false``, or both with ``AND`` between; empty = all.
            limit: at most so many; ``None`` = all.

        Raises:
            InvalidInput: the filter is another one.
        """
        request = operations_pb2.ListOperationsRequest(
            name="operations",
            filter=filter,
            page_size=page_size(limit),
        )
        found: builtins.list[operations_pb2.Operation] = []
        for page in self._pages(request, operations_pb2.ListOperationsResponse):
            found.extend(page.operations)
            if limit is not None and len(found) >= limit:
                break
        return [Operation[Any](self._transport, one, object) for one in found[:limit]]

    def cancel(self, *, name: str) -> None:
        """Ask for the end of an operation at the next safe point; it may still succeed.

        Raises:
            OperationNotFound: no operation has this name.
        """
        self._transport.unary(operations_pb2.CancelOperationRequest(name=name), Empty)

    def delete(self, *, name: str) -> None:
        """Forget an operation that has ended, with its result.

        Raises:
            OperationNotFound: no operation has this name.
            FailedPrecondition: it has not ended.
        """
        self._transport.unary(operations_pb2.DeleteOperationRequest(name=name), Empty)

    def wait(self, *, name: str, timeout_s: float | None = None, progress: OnProgress | None = None) -> Any:
        """Wait until an operation has ended, and return its result.

        Args:
            name: of the operation.
            timeout_s: most seconds to wait; ``None`` = as long as it takes.
            progress: told how far it is, about once a second.

        Raises:
            OperationNotFound: no operation has this name.
            DeadlineExceeded: it has not ended in time; it goes on.
            KnowledgeSmithClientError: it failed or was cancelled.
        """
        return (self.get(name=name)).result(timeout_s=timeout_s, progress=progress)
