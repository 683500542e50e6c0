"""Uploads of one file: a header, then pieces of bounded size, a bounded total, kept in an operation's folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from knowledgesmith.graph_schema.errors import FailedPrecondition, InvalidInput, TooLarge
from knowledgesmith.server.wire.conversions import check_request_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from google.longrunning import operations_pb2

    from knowledgesmith.server.operations.engine import Operations
    from knowledgesmith.server.operations.folders import Folder

MAX_CHUNK: Final = 1024 * 1024
MAX_BYTES: Final = 64 * 1024**3
_NAME: Final = "content"
H = TypeVar("H")
R = TypeVar("R")


class UploadedFile:
    """One file that arrives in pieces; the user's name for it is never a path."""

    def __init__(self, folder: Folder, *, limit: int = MAX_BYTES) -> None:
        self._limit = limit
        self._bytes = 0
        self._digest = hashlib.sha256()
        self._folder = folder
        self._file = (folder.make_uploads() / _NAME).open("wb")

    def add(self, chunk: bytes) -> None:
        """Append a piece.

        Raises:
            TooLarge: the piece or the whole is over its limit.
        """
        check_size(chunk, "chunk")
        self._bytes += len(chunk)
        if self._bytes > self._limit:
            raise TooLarge(f"the file has more than {self._limit} bytes", field="chunk", value=self._bytes)
        self._file.write(chunk)
        self._digest.update(chunk)

    def complete(self) -> str:
        """The digest of everything that was sent; from now on it survives whatever happens.

        Raises:
            InvalidInput: nothing was sent.
        """
        if not self._bytes:
            raise InvalidInput("no content was sent", field="chunk", hint="Send the header and then the file.")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._folder.keep_names()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file; it stays in the folder."""
        self._file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Generic[H]):
    """A header, and the digest of the file that came after it."""

    header: H
    digest: str


async def receive(
    requests: AsyncIterator[R],
    folder: Folder,
    parts: Callable[[R], tuple[H | None, bytes]],
    admit: Callable[[H], Awaitable[None]],
    *,
    limit: int = MAX_BYTES,
) -> Received[H]:
    """Take in the header and the pieces of one file; what arrived stays in ``folder``, also when it is refused.

    Args:
        requests: the messages.
        folder: where the file goes.
        parts: the header of a message, or else its piece.
        admit: raises what can be refused before the file comes.
        limit: bytes of the whole.

    Raises:
        InvalidInput: no header, two of them, or no content.
        TooLarge: a piece or the whole is over its limit.
    """
    header: H | None = None
    upload = await asyncio.to_thread(UploadedFile, folder, limit=limit)
    try:
        async for request in requests:
            found, chunk = parts(request)
            if found is not None and header is not None:
                raise InvalidInput("the header came twice", field="part", hint="Send it first, and once.")
            if found is None and header is None:
                raise _headless()
            if found is not None:
                header = found
                await admit(header)
            else:
                await asyncio.to_thread(upload.add, chunk)
        if header is None:
            raise _headless()
        return Received(header=header, digest=await asyncio.to_thread(upload.complete))
    finally:
        upload.close()


async def begin_with_file(
    operations: Operations,
    method: str,
    requests: AsyncIterator[R],
    parts: Callable[[R], tuple[Any, bytes]],
    *,
    actor: str,
    resource_id: Callable[[Any], str],
    check: Callable[[Any], object] | None = None,
    limit: int = MAX_BYTES,
) -> operations_pb2.Operation:
    """Receive the header and the file of an operation, and begin it; where it is refused, nothing of the file stays.

    Args:
        operations: all of them.
        method: its name; its header, which the runner is given, has a ``request_id``.
        requests: the messages.
        parts: the header of a message, checked, or else its piece.
        actor: who asks.
        resource_id: what a header is about.
        check: raises what can be refused of a header that came with its file; called in a thread.
        limit: bytes of the whole.

    Raises:
        KnowledgeSmithError: see :func:`receive` and ``Operations.begin``.
    """

    async def admit(header: Any) -> None:
        await operations.admit(method, header, request_id=check_request_id(header.request_id))

    folder = operations.upload()
    try:
        received = await receive(requests, folder, parts, admit, limit=limit)
    except BaseException:
        await asyncio.to_thread(folder.remove)
        raise
    header = received.header
    return await operations.begin(
        method,
        header,
        resource_id=resource_id(header),
        actor=actor,
        request_id=check_request_id(header.request_id),
        check=None if check is None else partial(check, header),
        upload=folder,
        uploaded=received.digest,
    )


def uploaded_path(folder: Folder) -> Path:
    """The one file that came with an operation.

    Raises:
        FailedPrecondition: it is gone.
    """
    path = folder.uploads / _NAME
    if not path.is_file():
        raise uploads_gone()
    return path


def check_size(chunk: bytes, field: str) -> None:
    """Refuse a piece that is larger than the wire says.

    Raises:
        TooLarge: it is.
    """
    if len(chunk) > MAX_CHUNK:
        raise TooLarge(
            "a piece of a file has more than 1 MiB", field=field, value=f"{len(chunk)} bytes", hint="Cut it smaller."
        )


def uploads_gone() -> FailedPrecondition:
    """The files that came with an operation are not there any more."""
    return FailedPrecondition(
        "the uploaded files are gone",
        field="name",
        hint="They were removed below the data directory, or its disk lost them; "
        "send them again with a new request id.",
    )


def _headless() -> InvalidInput:
    return InvalidInput("the first message must hold the header", field="part", hint="Send the header first.")
