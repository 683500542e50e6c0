"""Calls of the graph service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from knowledgesmith.client._errors import InvalidInput
from knowledgesmith.client._paging import iterate, page_size
from knowledgesmith.client._types.graphs import ConnectionInfo, CypherResult, Graph
from knowledgesmith.v1 import graph_pb2 as pb
from knowledgesmith.v1.graph_pb2_grpc import GraphServiceStub

from .base import Calls


class GraphCalls(Calls):
    """Knowledge graphs and Cypher."""

    @cached_property
    def _graph_stub(self) -> GraphServiceStub:
        return GraphServiceStub(self._transport.channel)

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
        try:
            text = json.dumps(dict(parameters), allow_nan=False) if parameters else ""
        except (TypeError, ValueError) as error:
            raise InvalidInput("The parameters have no JSON form.", field="parameters", value=str(error)) from None
        request = pb.RunCypherRequest(query=query, parameters_json=text, max_rows=max_rows)
        return CypherResult.from_proto(self._transport.unary(self._graph_stub.RunCypher, request))

    def connection_info(self) -> ConnectionInfo:
        """How any Neo4j tool connects to the server's database."""
        request = pb.GetConnectionInfoRequest()
        return ConnectionInfo.from_proto(self._transport.unary(self._graph_stub.GetConnectionInfo, request))
