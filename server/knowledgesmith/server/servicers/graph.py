"""GraphService: import, list, read-only Cypher, versions, differences, checks, deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import TYPE_CHECKING, Final

from google.longrunning import operations_pb2

from knowledgesmith.graph_schema.errors import IllegalState, InvalidInput
from knowledgesmith.graph_schema.graphs import reading
from knowledgesmith.graph_schema.graphs.versions import list_versions
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.server.front.callers import actor_of
from knowledgesmith.server.runners.graphs import BUNDLED, graph_of, graph_to
from knowledgesmith.server.servicers.known import known_graph
from knowledgesmith.server.uploads.imports import importers
from knowledgesmith.server.uploads.pieces import Upload
from knowledgesmith.server.uploads.rejections import read_rejections
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_id, check_request_id, check_text
from knowledgesmith.server.wire.cypher import parameters_from, row_to
from knowledgesmith.server.wire.graphs import version_to
from knowledgesmith.server.wire.message_sizes import PAGE_BYTES
from knowledgesmith.server.wire.structs import struct_from
from knowledgesmith.v1 import graph_pb2, graph_pb2_grpc

if TYPE_CHECKING:
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context
    from knowledgesmith.server.operations.folders import Folder

_CYPHER_ROWS: Final = 100
_REJECTIONS: Final = 1_000
_MOST_REJECTIONS: Final = 10_000
_IMPORTS: Final = ("ImportGraph", "ImportBundledGraph")


class GraphServicer(graph_pb2_grpc.GraphServiceServicer):
    """See ``graph.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ImportGraph(
        self, request_iterator: AsyncIterator[graph_pb2.ImportGraphRequest], context: Context
    ) -> operations_pb2.Operation:
        """Receive the files, then import them."""
        operations = self._parts.operations
        folder = operations.upload()
        try:
            header, digest = await self._receive(folder, request_iterator)
        except BaseException:
            await asyncio.to_thread(folder.remove)
            raise
        return await operations.begin(
            "ImportGraph",
            header,
            resource_id=header.graph_id,
            actor=actor_of(context),
            request_id=check_request_id(header.request_id),
            upload=folder,
            uploaded=digest,
        )

    async def _receive(
        self, folder: Folder, requests: AsyncIterator[graph_pb2.ImportGraphRequest]
    ) -> tuple[graph_pb2.ImportHeader, str]:
        with closing(Upload(folder, max_bytes=self._parts.settings.upload_bytes)) as upload:
            async for request in requests:
                if request.HasField("header"):
                    _check_header(request.header)
                    await self._parts.operations.admit(
                        "ImportGraph", request.header, request_id=check_request_id(request.header.request_id)
                    )
                await asyncio.to_thread(upload.add, request)  # it unpacks: a small piece can hold much
            return await asyncio.to_thread(upload.complete)

    async def ImportBundledGraph(
        self, request: graph_pb2.ImportBundledGraphRequest, context: Context
    ) -> operations_pb2.Operation:
        """Import a graph that ships with the package."""
        name = request.name or BUNDLED
        graph_id = check_id(request.graph_id or name, "graph_id")
        return await self._parts.operations.begin(
            "ImportBundledGraph",
            request,
            resource_id=graph_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: bundled_files(name),
        )

    async def ListImportRejections(
        self, request: graph_pb2.ListImportRejectionsRequest, context: Context
    ) -> graph_pb2.ListImportRejectionsResponse:
        """What an import could not use."""
        listing = ["ListImportRejections", request.operation]
        size = paging.page_size(request.page_size, default=_REJECTIONS, most=_MOST_REJECTIONS)
        position = paging.decode(listing, request.page_token, int)
        record = await self._parts.operations.record(request.operation)
        if record.method not in _IMPORTS:
            raise InvalidInput(
                "this operation is no import", field="operation", value=request.operation, hint="Name an import."
            )
        if not record.ended:
            raise IllegalState(
                "the import has not ended",
                field="operation",
                value=request.operation,
                hint="Wait for it (WaitOperation), then ask again.",
            )
        folder = self._parts.operations.folder(record)
        offset = int(position[0]) if position else 0
        page = await asyncio.to_thread(read_rejections, folder, offset=offset, limit=size, most_bytes=PAGE_BYTES)
        token = "" if page.following is None else paging.encode(listing, [page.following])
        return graph_pb2.ListImportRejectionsResponse(rejections=page.rejections, next_page_token=token)

    async def ListImporters(
        self, request: graph_pb2.ListImportersRequest, context: Context
    ) -> graph_pb2.ListImportersResponse:
        """The formats that can be imported."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListImporters"], request.page_token, str)
        after = str(position[0]) if position else ""
        found = [one for one in await asyncio.to_thread(importers) if one.name > after]
        token = paging.encode(["ListImporters"], [found[size - 1].name]) if len(found) > size else ""
        return graph_pb2.ListImportersResponse(importers=found[:size], next_page_token=token)

    async def GetGraph(self, request: graph_pb2.GetGraphRequest, context: Context) -> graph_pb2.GetGraphResponse:
        """One graph with its counts."""
        graph = await asyncio.to_thread(graph_of, self._parts.store, request.graph_id)
        return graph_pb2.GetGraphResponse(graph=graph)

    async def ListGraphs(self, request: graph_pb2.ListGraphsRequest, context: Context) -> graph_pb2.ListGraphsResponse:
        """All graphs, by id."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListGraphs"], request.page_token, str)
        after = str(position[0]) if position else ""
        found = await asyncio.to_thread(reading.list_graphs, self._parts.store, after=after, limit=size + 1)
        token = paging.encode(["ListGraphs"], [found[size - 1].graph_id]) if len(found) > size else ""
        return graph_pb2.ListGraphsResponse(graphs=[graph_to(g) for g in found[:size]], next_page_token=token)

    async def DeleteGraph(self, request: graph_pb2.DeleteGraphRequest, context: Context) -> operations_pb2.Operation:
        """A graph, with what stands on it when forced."""
        return await self._parts.operations.begin(
            "DeleteGraph",
            request,
            resource_id=request.graph_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: known_graph(self._parts.store, request.graph_id, "graph_id", deleting=True),
        )

    async def ListGraphVersions(
        self, request: graph_pb2.ListGraphVersionsRequest, context: Context
    ) -> graph_pb2.ListGraphVersionsResponse:
        """Versions, newest first."""
        listing = ["ListGraphVersions", request.graph_id]
        size = paging.page_size(request.page_size)
        position = paging.decode(listing, request.page_token, int)
        found = await asyncio.to_thread(list_versions, self._parts.store, request.graph_id)
        if position:
            found = [version for version in found if version.number < int(position[0])]
        token = paging.encode(listing, [found[size - 1].number]) if len(found) > size else ""
        versions = [version_to(version) for version in found[:size]]
        return graph_pb2.ListGraphVersionsResponse(versions=versions, next_page_token=token)

    async def DiffGraphs(self, request: graph_pb2.DiffGraphsRequest, context: Context) -> operations_pb2.Operation:
        """Two graphs of the database."""

        def check() -> None:
            known_graph(self._parts.store, request.left_graph_id, "left_graph_id")
            known_graph(self._parts.store, request.right_graph_id, "right_graph_id")

        return await self._parts.operations.begin(
            "DiffGraphs",
            request,
            resource_id=request.left_graph_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=check,
        )

    async def CheckGraph(self, request: graph_pb2.CheckGraphRequest, context: Context) -> operations_pb2.Operation:
        """Every rule."""
        return await self._parts.operations.begin(
            "CheckGraph",
            request,
            resource_id=request.graph_id,
            actor=actor_of(context),
            request_id=check_request_id(request.request_id),
            check=lambda: known_graph(self._parts.store, request.graph_id, "graph_id"),
        )

    async def RunCypher(self, request: graph_pb2.RunCypherRequest, context: Context) -> graph_pb2.RunCypherResponse:
        """Run one read-only query."""
        text = check_text(request.query, "query", limit=20_000)
        if not text.strip():
            raise InvalidInput("the query is empty", field="query", hint="Send a reading Cypher query.")
        rows = min(paging.page_size(request.max_rows) if request.max_rows else _CYPHER_ROWS, paging.MAX_SIZE)
        columns, found = await self._parts.queries.run(
            self._parts.store.run_user_query,
            text,
            parameters_from(request.parameters),
            limit=rows + 1,
            timeout_s=self._parts.settings.query_seconds,
        )
        answer = [row_to(columns, row) for row in found[:rows]]
        return graph_pb2.RunCypherResponse(columns=columns, rows=answer, truncated=len(found) > rows)

    async def GetConnectionInfo(
        self, request: graph_pb2.GetConnectionInfoRequest, context: Context
    ) -> graph_pb2.GetConnectionInfoResponse:
        """How any Neo4j tool connects to the database."""
        settings = self._parts.settings
        return graph_pb2.GetConnectionInfoResponse(
            uri=self._parts.store.uri,
            user=self._parts.store.user,
            database=settings.neo4j_database,
            embedded=self._parts.embedded,
        )


def _check_header(header: graph_pb2.ImportHeader) -> None:
    """Refuse what can be refused before the files come."""
    check_id(header.graph_id, "graph_id")
    check_text(header.source, "source")
    check_text(header.format, "format")
    struct_from(header.options, "options")
    check_request_id(header.request_id)
