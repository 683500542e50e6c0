"""GraphService: import, list, and read-only Cypher."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from knowledgesmith.graph_schema import graphs
from knowledgesmith.graph_schema.bundled import bundled_files
from knowledgesmith.graph_schema.errors import InvalidInput, TooLarge
from knowledgesmith.graph_schema.importing import FileFormat, FileRole, ImportReport, SourceFile, import_graph
from knowledgesmith.proto.v1 import graph_pb2, graph_pb2_grpc
from knowledgesmith.server import paging
from knowledgesmith.server.conversions import check_id, check_text, json_object

if TYPE_CHECKING:
    from knowledgesmith.graph_schema.graphs import GraphInfo
    from knowledgesmith.server.interceptors import Context
    from knowledgesmith.server.parts import Parts

_SPOOL_BYTES = 16 * 1024 * 1024
_MAX_FILES = 64
_MAX_BYTES = 4 * 1024**3
_CYPHER_ROWS = 100
_CYPHER_SECONDS = 30.0
_ROLES = {
    graph_pb2.FILE_ROLE_ENTITIES: FileRole.ENTITIES,
    graph_pb2.FILE_ROLE_RELATIONS: FileRole.RELATIONS,
    graph_pb2.FILE_ROLE_FACTS: FileRole.FACTS,
    graph_pb2.FILE_ROLE_TEMPLATES: FileRole.TEMPLATES,
}
_FORMATS = {graph_pb2.FILE_FORMAT_CSV: FileFormat.CSV, graph_pb2.FILE_FORMAT_JSONL: FileFormat.JSONL}


class _Upload:
    """Collects the chunks of an import into spooled temporary files, in order of first appearance."""

    def __init__(self) -> None:
        self.header: graph_pb2.ImportHeader | None = None
        self._files: dict[tuple[FileRole, str, FileFormat], BinaryIO] = {}
        self._bytes = 0

    def add(self, request: graph_pb2.ImportGraphRequest) -> None:
        """Take one message."""
        if request.WhichOneof("part") == "header":
            self.header = request.header
            return
        chunk = request.chunk
        if self.header is None:
            raise InvalidInput("the first message must hold the header", field="part", hint="Send the header first.")
        if chunk.role not in _ROLES or chunk.format not in _FORMATS:
            raise InvalidInput("a chunk needs a role and a format", field="chunk.role", value=chunk.role)
        key = (_ROLES[chunk.role], check_text(chunk.name, "chunk.name"), _FORMATS[chunk.format])
        self._bytes += len(chunk.content)
        if self._bytes > _MAX_BYTES:
            raise TooLarge(f"more than {_MAX_BYTES} bytes", field="chunk.content", hint="Import a smaller graph.")
        if key not in self._files:
            if len(self._files) == _MAX_FILES:
                raise TooLarge(f"more than {_MAX_FILES} files", field="chunk.name", hint="Join some files.")
            self._files[key] = _spool()
        self._files[key].write(chunk.content)

    def files(self) -> list[SourceFile]:
        """The uploaded files, rewound."""
        found: list[SourceFile] = []
        for (role, name, kind), content in self._files.items():
            content.seek(0)
            found.append(SourceFile(role=role, name=name, format=kind, lines=content))
        return found

    def close(self) -> None:
        """Remove the temporary files."""
        for content in self._files.values():
            content.close()


def _spool() -> BinaryIO:
    """A temporary file that stays in memory while it is small; closed with the upload."""
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES))


class GraphServicer(graph_pb2_grpc.GraphServiceServicer):
    """See ``graph.proto``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def ImportGraph(
        self, request_iterator: AsyncIterator[graph_pb2.ImportGraphRequest], context: Context
    ) -> graph_pb2.ImportGraphResponse:
        """Receive the files, then import them in one transaction."""
        upload = _Upload()
        try:
            async for request in request_iterator:
                upload.add(request)
            header = upload.header
            if header is None:
                raise InvalidInput("nothing was sent", field="part", hint="Send a header and the files.")
            check_id(header.graph_id, "graph_id")
            check_text(header.source, "source")
            report = await asyncio.to_thread(self._import, header, upload.files())
        finally:
            upload.close()
        graph = None if header.validate_only else await self._graph(header.graph_id)
        return graph_pb2.ImportGraphResponse(graph=graph, report=report)

    def _import(self, header: graph_pb2.ImportHeader, files: list[SourceFile]) -> graph_pb2.ImportReport:
        return _report_to(
            import_graph(
                self._parts.store,
                graph_id=header.graph_id,
                files=files,
                source=header.source,
                validate_only=header.validate_only,
            )
        )

    async def ImportBundledGraph(
        self, request: graph_pb2.ImportBundledGraphRequest, context: Context
    ) -> graph_pb2.ImportBundledGraphResponse:
        """Import a graph that ships with the package."""
        name = request.name or "atlas"
        header = graph_pb2.ImportHeader(
            graph_id=check_id(request.graph_id or name, "graph_id"), source=f"bundled: {name}"
        )
        files = bundled_files(name)
        try:
            report = await asyncio.to_thread(self._import, header, files)
        finally:
            for file in files:
                file.lines.close()
        return graph_pb2.ImportBundledGraphResponse(graph=await self._graph(header.graph_id), report=report)

    async def GetGraph(self, request: graph_pb2.GetGraphRequest, context: Context) -> graph_pb2.GetGraphResponse:
        """One graph with its counts."""
        return graph_pb2.GetGraphResponse(graph=await self._graph(request.graph_id))

    async def _graph(self, graph_id: str) -> graph_pb2.Graph:
        return _graph_to(await asyncio.to_thread(graphs.get_graph, self._parts.store, graph_id))

    async def ListGraphs(self, request: graph_pb2.ListGraphsRequest, context: Context) -> graph_pb2.ListGraphsResponse:
        """All graphs, by id."""
        size = paging.page_size(request.page_size)
        position = paging.decode(["ListGraphs"], request.page_token, str)
        after = str(position[0]) if position else ""
        found = await asyncio.to_thread(graphs.list_graphs, self._parts.store, after=after, limit=size + 1)
        token = paging.encode(["ListGraphs"], [found[size - 1].graph_id]) if len(found) > size else ""
        return graph_pb2.ListGraphsResponse(graphs=[_graph_to(g) for g in found[:size]], next_page_token=token)

    async def RunCypher(self, request: graph_pb2.RunCypherRequest, context: Context) -> graph_pb2.RunCypherResponse:
        """Run one read-only query."""
        text = check_text(request.query, "query", limit=20_000)
        if not text.strip():
            raise InvalidInput("the query is empty", field="query", hint="Send a reading Cypher query.")
        rows = min(paging.page_size(request.max_rows) if request.max_rows else _CYPHER_ROWS, paging.MAX_SIZE)
        columns, found = await asyncio.to_thread(
            self._parts.store.run_user_query,
            text,
            json_object(request.parameters_json, "parameters_json"),
            limit=rows,
            timeout_s=_CYPHER_SECONDS,
        )
        lines = [json.dumps([row[c] for c in columns], ensure_ascii=False, default=str) for row in found]
        return graph_pb2.RunCypherResponse(columns=columns, rows_json=lines)

    async def GetConnectionInfo(
        self, request: graph_pb2.GetConnectionInfoRequest, context: Context
    ) -> graph_pb2.GetConnectionInfoResponse:
        """How any Neo4j tool connects to the database."""
        settings = self._parts.settings
        return graph_pb2.GetConnectionInfoResponse(
            uri=self._parts.store.uri,
            user=settings.neo4j_user,
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
    )


def _report_to(report: ImportReport) -> graph_pb2.ImportReport:
    fields: dict[str, Any] = {
        field.name: getattr(report, field.name) for field in graph_pb2.ImportReport.DESCRIPTOR.fields
    }
    return graph_pb2.ImportReport(**fields)
