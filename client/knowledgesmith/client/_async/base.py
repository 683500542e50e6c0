"""What the namespaces of the client share: calls, pages, and operations."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from google.longrunning import operations_pb2
from google.protobuf.message import Message

from knowledgesmith.client._errors import InvalidInput, ServerFault
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._wire.fill import read

from .operation import AsyncOperation
from .transport import AsyncTransport

LARGEST_PAGE: Final = 1000

Answer = TypeVar("Answer", bound=Message)
Item = TypeVar("Item")


class AsyncNamespace:
    """Calls of one service."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _pages(self, request: Message, answer: type[Answer]) -> AsyncGenerator[Answer]:
        """The pages of a listing, each fetched when it is needed."""
        asked: Any = request
        seen = set[str]()
        while True:
            page: Any = await self._transport.unary(request, answer)
            yield page
            if not page.next_page_token:
                return
            if page.next_page_token in seen:
                raise ServerFault("The server repeats a page token.", field="next_page_token")
            seen.add(page.next_page_token)
            asked.page_token = page.next_page_token

    async def _rows(
        self, request: Message, answer: type[Answer], member: str, kind: type[Item], limit: int | None
    ) -> tuple[tuple[Item, ...], Answer]:
        """The items of all pages, at most ``limit``, and the first page."""
        asked: Any = request
        asked.page_size = page_size(limit)
        found: list[Item] = []
        first: Answer | None = None
        async for page in self._pages(request, answer):
            first = page if first is None else first
            found.extend(read(kind, item) for item in getattr(page, member))
            if limit is not None and len(found) >= limit:
                break
        return tuple(found if limit is None else found[:limit]), first or answer()

    async def _list(
        self, request: Message, answer: type[Answer], member: str, kind: type[Item], limit: int | None
    ) -> list[Item]:
        """The items of all pages, at most ``limit``."""
        return list((await self._rows(request, answer, member, kind, limit))[0])

    async def _begin(
        self, request: Message, result: type[Item], *, wait: bool, progress: OnProgress | None
    ) -> Item | AsyncOperation[Item]:
        """Begin an operation, and wait for its result if that is wanted."""
        begun = await self._transport.unary(request, operations_pb2.Operation)
        return await self._ended(begun, result, wait=wait, progress=progress)

    async def _begin_upload(
        self,
        kind: type[Message],
        parts: Callable[[], Iterator[Message]],
        result: type[Item],
        *,
        files: Sequence[Path],
        wait: bool,
        progress: OnProgress | None,
    ) -> Item | AsyncOperation[Item]:
        """Begin an operation with a stream of requests, and wait for its result if that is wanted."""
        begun = await self._transport.upload(kind, parts, operations_pb2.Operation, files)
        return await self._ended(begun, result, wait=wait, progress=progress)

    async def _ended(
        self, begun: operations_pb2.Operation, result: type[Item], *, wait: bool, progress: OnProgress | None
    ) -> Item | AsyncOperation[Item]:
        operation = AsyncOperation(self._transport, begun, result)
        return await operation.result(progress=progress) if wait else operation


def page_size(limit: int | None) -> int:
    """How many items a page of a listing of at most ``limit`` has.

    Raises:
        InvalidInput: the limit is negative.
    """
    if limit is not None and limit < 0:
        raise InvalidInput("A limit is not negative.", field="limit", value=str(limit), hint="None lists everything.")
    return LARGEST_PAGE if limit is None else max(1, min(limit, LARGEST_PAGE))


def key(request_id: str) -> str:
    """The idempotence key of one call: the given one, or one that is drawn, so that repetitions are recognised."""
    return request_id or str(uuid.uuid4())
