"""Calls of the graph service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.graphs import ConnectionInfo, CypherResult, Graph, GraphFile, ImportResult
from knowledgesmith.proto.v1 import graph_pb2 as pb
from knowledgesmith.proto.v1.graph_pb2_grpc import GraphServiceStub

from .base import Calls

_CHUNK_BYTES: Final = 256 * 1024


class GraphCalls(Calls):
    """Knowledge graphs and Cypher."""

    @cached_property
    def _graph_stub(self) -> GraphServiceStub:
        return GraphServiceStub(self._transport.channel)

    def import_graph(
        self, *, graph_id: str, files: Sequence[GraphFile | Path | str], source: str = "", validate_only: bool = False
    ) -> ImportResult:
        """Upload the files of one graph and import them, all or nothing; importing again changes only what differs.

        Args:
            graph_id: 1 to 63 of ``[a-z0-9_-]``, letter first.
            files: CSV or JSONL; plain paths must be named ``entities…``, ``relations…``, ``facts…`` or ``templates…``.
            source: where the graph comes from.
            validate_only: check and report, write nothing.

        Raises:
            InvalidInput: a file cannot be read or its role is unknown.
            ImportRejected: rows are bad; the metadata names file and line.
        """
        checked = [_graph_file(file) for file in files]
        header = pb.ImportHeader(graph_id=graph_id, source=source, validate_only=validate_only)
        answer = self._transport.upload(self._graph_stub.ImportGraph, _parts(header, checked))
        return ImportResult.from_proto(answer)

    def import_bundled(self, *, name: str = "atlas", graph_id: str = "") -> ImportResult:
        """Import a graph that ships with the server, under ``graph_id`` or its own name."""
        request = pb.ImportBundledGraphRequest(name=name, graph_id=graph_id)
        return ImportResult.from_proto(self._transport.unary(self._graph_stub.ImportBundledGraph, request, slow=True))

    def get_graph(self, *, graph_id: str) -> Graph:
        """One graph with its counts.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = pb.GetGraphRequest(graph_id=graph_id)
        return Graph.from_proto(self._transport.unary(self._graph_stub.GetGraph, request).graph)

    def list_graphs(self, *, limit: int | None = None) -> Iterator[Graph]:
        """All graphs by id; pages are fetched as they are read."""

        def fetch(token: str) -> tuple[Sequence[pb.Graph], str]:
            request = pb.ListGraphsRequest(page_size=page_size(limit), page_token=token)
            page = self._transport.unary(self._graph_stub.ListGraphs, request)
            return page.graphs, page.next_page_token

        return map(Graph.from_proto, iterate(fetch, limit=limit))

    def cypher(self, *, query: str, parameters: Mapping[str, Any] | None = None, max_rows: int = 0) -> CypherResult:
        """Run one read-only query; at most 1,000 rows (0 = 100).

        Raises:
            ReadOnlyQuery: the query may write.
        """
        text = json.dumps(dict(parameters)) if parameters else ""
        request = pb.RunCypherRequest(query=query, parameters_json=text, max_rows=max_rows)
        return CypherResult.from_proto(self._transport.unary(self._graph_stub.RunCypher, request))

    def connection_info(self) -> ConnectionInfo:
        """How any Neo4j tool connects to the server's database."""
        request = pb.GetConnectionInfoRequest()
        return ConnectionInfo.from_proto(self._transport.unary(self._graph_stub.GetConnectionInfo, request))


def _graph_file(file: GraphFile | Path | str) -> GraphFile:
    try:
        checked = file if isinstance(file, GraphFile) else GraphFile.guess(file)
        with checked.path.open("rb"):
            return checked
    except (ValueError, OSError) as error:
        raise InvalidInput(
            "A graph file cannot be used.",
            field="files",
            value=str(error),
            hint="Name it like entities.csv, relations.csv, facts.jsonl, or give its role.",
        ) from error


def _parts(header: pb.ImportHeader, files: Sequence[GraphFile]) -> Iterator[pb.ImportGraphRequest]:
    """The header, then every file in pieces of at most 256 KiB."""
    yield pb.ImportGraphRequest(header=header)
    for file in files:
        with file.path.open("rb") as stream:
            first = True
            while (content := stream.read(_CHUNK_BYTES)) or first:
                first = False
                yield pb.ImportGraphRequest(
                    chunk=pb.FileChunk(
                        role=file.role.to_proto(), name=file.path.name, format=file.format.to_proto(), content=content
                    )
                )
