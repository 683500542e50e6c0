"""Calls of the standard service of operations."""

from __future__ import annotations

import builtins
from typing import Any

from google.longrunning import operations_pb2
from google.protobuf.empty_pb2 import Empty

from knowledgesmith.client._types.operations import OnProgress

from .base import AsyncNamespace, page_size
from .operation import AsyncOperation


class AsyncOperations(AsyncNamespace):
    """Long work of the server: imports, generations, audits, archives, deletions and more, kept for a week."""

    async def get(self, *, name: str) -> AsyncOperation[Any]:
        """One operation.

        Raises:
            OperationNotFound: no operation has this name.
        """
        request = operations_pb2.GetOperationRequest(name=name)
        found = await self._transport.unary(request, operations_pb2.Operation)
        return AsyncOperation[Any](self._transport, found, object)

    async def list(
        self,
        *,
        filter: str = "",  # noqa: A002 - the word of the wire
        limit: int | None = None,
    ) -> builtins.list[AsyncOperation[Any]]:
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
        async for page in self._pages(request, operations_pb2.ListOperationsResponse):
            found.extend(page.operations)
            if limit is not None and len(found) >= limit:
                break
        return [AsyncOperation[Any](self._transport, one, object) for one in found[:limit]]

    async def cancel(self, *, name: str) -> None:
        """Ask for the end of an operation at the next safe point; it may still succeed.

        Raises:
            OperationNotFound: no operation has this name.
        """
        await self._transport.unary(operations_pb2.CancelOperationRequest(name=name), Empty)

    async def delete(self, *, name: str) -> None:
        """Forget an operation that has ended, with its result.

        Raises:
            OperationNotFound: no operation has this name.
            FailedPrecondition: it has not ended.
        """
        await self._transport.unary(operations_pb2.DeleteOperationRequest(name=name), Empty)

    async def wait(self, *, name: str, timeout_s: float | None = None, progress: OnProgress | None = None) -> Any:
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
        return await (await self.get(name=name)).result(timeout_s=timeout_s, progress=progress)
