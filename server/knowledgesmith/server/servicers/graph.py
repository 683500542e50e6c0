"""GraphService: import, list, and read-only Cypher."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from knowledgesmith.graph_schema.errors import InvalidInput
from knowledgesmith.graph_schema.graphs import reading
from knowledgesmith.graph_schema.importing.bundled import bundled_files
from knowledgesmith.v1 import graph_pb2, graph_pb2_grpc
from knowledgesmith.server.uploads.import_stream import importers, run_import, stream_import
from knowledgesmith.server.uploads.pieces import Upload
from knowledgesmith.server.wire import paging
from knowledgesmith.server.wire.conversions import check_id, check_text, json_object

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.graphs.reading import GraphInfo
    from knowledgesmith.server.front.dependencies import Parts
    from knowledgesmith.server.front.interceptors import Context

_CYPHER_ROWS = 100
"""Shorter than the call may last, so that its caller learns what ended it."""


class GraphServicer(graph_pb2_grpc.GraphServiceServicer):
    """See ``graph.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ImportGraph(
        self, request_iterator: AsyncIterator[graph_pb2.ImportGraphRequest], context: Context
    ) -> AsyncIterator[graph_pb2.ImportGraphResponse]:
        """Receive the files, then import them and tell how it goes."""
        upload = Upload(max_bytes=self._parts.settings.upload_bytes)
        try:
            async for request in request_iterator:
                await asyncio.to_thread(upload.add, request)  # it unpacks: a small piece can hold much
            header, files = upload.complete()
        except BaseException:
            upload.close()
            raise
        async for message in stream_import(self._parts, header, files, close=upload.close):
            if isinstance(message, graph_pb2.ImportGraphResponse):
                yield message
                continue
            graph = None if header.validate_only else await self._graph(header.graph_id)
            result = graph_pb2.ImportResult(graph=graph, report=message)
            yield graph_pb2.ImportGraphResponse(result=result)

    async def ImportBundledGraph(
        self, request: graph_pb2.ImportBundledGraphRequest, context: Context
    ) -> graph_pb2.ImportBundledGraphResponse:
        """Import a graph that ships with the package."""
        name = request.name or "atlas"
        header = graph_pb2.ImportHeader(
            graph_id=check_id(request.graph_id or name, "graph_id"), source=f"bundled: {name}", strict=True
        )
        files = bundled_files(name)
        report = await self._parts.long.run(run_import, self._parts.store, header, files)
        return graph_pb2.ImportBundledGraphResponse(graph=await self._graph(header.graph_id), report=report)

    async def ListImporters(
        self, request: graph_pb2.ListImportersRequest, context: Context
    ) -> graph_pb2.ListImportersResponse:
        """The formats that can be imported."""
        return graph_pb2.ListImportersResponse(importers=await asyncio.to_thread(importers))

    async def GetGraph(self, request: graph_pb2.GetGraphRequest, context: Context) -> graph_pb2.GetGraphResponse:
        """One graph with its counts."""
        return graph_pb2.GetGraphResponse(graph=await self._graph(request.graph_id))

    async def _graph(self, graph_id: str) -> graph_pb2.Graph:
        return _graph_to(await asyncio.to_thread(reading.get_graph, self._parts.store, graph_id))

    async def ListGraphs(self, request: graph_pb2.ListGraphsRequest, context: Context) -> graph_pb2.ListGraphsResponse:
        """All graphs, by id."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListGraphs"], request.page_token, str)
        after = str(position[0]) if position else ""
        found = await asyncio.to_thread(reading.list_graphs, self._parts.store, after=after, limit=size + 1)
        token = paging.encode(["ListGraphs"], [found[size - 1].graph_id]) if len(found) > size else ""
        return graph_pb2.ListGraphsResponse(graphs=[_graph_to(g) for g in found[:size]], next_page_token=token)

    async def RunCypher(self, request: graph_pb2.RunCypherRequest, context: Context) -> graph_pb2.RunCypherResponse:
        """Run one read-only query."""
        text = check_text(request.query, "query", limit=20_000)
        if not text.strip():
            raise InvalidInput("the query is empty", field="query", hint="Send a reading Cypher query.")
        rows = min(paging.page_size(request.max_rows) if request.max_rows else _CYPHER_ROWS, paging.MAX_SIZE)
        columns, found = await self._parts.queries.run(
            self._parts.store.run_user_query,
            text,
            json_object(request.parameters_json, "parameters_json"),
            limit=rows + 1,
            timeout_s=self._parts.settings.query_seconds,
        )
        lines = [json.dumps([row[c] for c in columns], ensure_ascii=False, allow_nan=False) for row in found[:rows]]
        return graph_pb2.RunCypherResponse(columns=columns, rows_json=lines, truncated=len(found) > rows)

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


def _graph_to(info: GraphInfo) -> graph_pb2.Graph:
    return graph_pb2.Graph(
        graph_id=info.graph_id,
        digest=info.digest,
        source=info.source,
        head_branch=info.head_branch,
        entities_by_level=info.entities_by_level,
        facts=info.facts,
        relations=info.relations,
        entities_by_domain=info.entities_by_domain,
        incomplete=info.incomplete,
    )
