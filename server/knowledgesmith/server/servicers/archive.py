"""ArchiveService: archives written, downloaded, loaded and compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, BinaryIO, Final

from google.longrunning import operations_pb2

from knowledgesmith.graph_schema.errors import IllegalState, InvalidInput, NotFound
from knowledgesmith.graph_schema.operations.records import OperationState
from knowledgesmith.server.front.callers import actor_of
from knowledgesmith.server.runners.archives import archive_path
from knowledgesmith.server.servicers.known import known_graph
from knowledgesmith.server.uploads.uploaded_file import begin_with_file
from knowledgesmith.server.wire.conversions import check_id, check_request_id, check_text
from knowledgesmith.v1 import archive_pb2 as pb
from knowledgesmith.v1 import archive_pb2_grpc

if TYPE_CHECKING:
    from pathlib import Path

    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_CHUNK: Final = 256 * 1024


class ArchiveServicer(archive_pb2_grpc.ArchiveServiceServicer):
    """See ``archive.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def CreateArchive(self, request: pb.CreateArchiveRequest, context: Context) -> operations_pb2.Operation:
        """Write the archive of a graph."""
        return await self._parts.operations.begin(
            "CreateArchive",
            request,
            resource_id=request.graph_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: known_graph(self._parts.store, request.graph_id, "graph_id"),
        )

    async def DownloadArchive(
        self, request: pb.DownloadArchiveRequest, context: Context
    ) -> AsyncIterator[pb.DownloadArchiveResponse]:
        """Send an archive that was written, from a byte on."""
        record = await self._parts.operations.record(request.operation)
        if record.method != "CreateArchive":
            raise InvalidInput(
                "this operation wrote no archive",
                field="operation",
                value=request.operation,
                hint="Name one that CreateArchive began.",
            )
        if record.state is not OperationState.DONE:
            raise IllegalState(
                "the archive is not written" + ("" if record.ended else " yet"),
                field="operation",
                value=request.operation,
                hint="Begin another one." if record.ended else "Wait for the operation, then ask again.",
            )
        path = archive_path(self._parts.operations.folder(record))
        file = await asyncio.to_thread(_open_at, path, request.offset)
        try:
            while block := await asyncio.to_thread(file.read, _CHUNK):
                yield pb.DownloadArchiveResponse(chunk=block)
        finally:
            file.close()

    async def LoadArchive(
        self, request_iterator: AsyncIterator[pb.LoadArchiveRequest], context: Context
    ) -> operations_pb2.Operation:
        """Receive an archive, then check and load it."""

        def parts(request: pb.LoadArchiveRequest) -> tuple[pb.LoadArchiveHeader | None, bytes]:
            if not request.HasField("header"):
                return None, request.chunk
            header = request.header
            if header.graph_id:
                check_id(header.graph_id, "header.graph_id")
            check_text(header.name, "header.name")
            check_request_id(header.request_id)
            return header, b""

        return await begin_with_file(
            self._parts.operations,
            "LoadArchive",
            request_iterator,
            parts,
            actor=actor_of(context),
            resource_id=lambda header: header.graph_id,
        )

    async def DiffArchive(
        self, request_iterator: AsyncIterator[pb.DiffArchiveRequest], context: Context
    ) -> operations_pb2.Operation:
        """Receive an archive, then compare a graph with it."""

        def parts(request: pb.DiffArchiveRequest) -> tuple[pb.DiffArchiveHeader | None, bytes]:
            if not request.HasField("header"):
                return None, request.chunk
            check_text(request.header.name, "header.name")
            check_request_id(request.header.request_id)
            return request.header, b""

        return await begin_with_file(
            self._parts.operations,
            "DiffArchive",
            request_iterator,
            parts,
            actor=actor_of(context),
            resource_id=lambda header: header.graph_id,
            check=lambda header: known_graph(self._parts.store, header.graph_id, "header.graph_id"),
        )


def _open_at(path: Path, offset: int) -> BinaryIO:
    """An archive, to be read from a byte on.

    Raises:
        NotFound: somebody removed the file.
        InvalidInput: it has no such byte.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound("the archive's file is gone", field="operation", hint="Write it again.") from error
    size = path.stat().st_size
    if not 0 <= offset <= size:
        file.close()
        raise InvalidInput("out of range", field="offset", value=offset, hint=f"The archive has {size} bytes.")
    file.seek(offset)
    return file
