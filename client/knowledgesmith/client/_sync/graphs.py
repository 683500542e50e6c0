"""Calls of the graph service."""
# Generated from _async by scripts/gen_sync.py; not edited.

from __future__ import annotations

import builtins
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from knowledgesmith.client._extras import NOTEBOOK, require
from knowledgesmith.client._networkx import Attributes, write_tables
from knowledgesmith.client._types.graphs import (
    CheckReport,
    ConnectionInfo,
    CypherResult,
    Deletion,
    Graph,
    GraphDiff,
    GraphVersion,
)
from knowledgesmith.client._types.imports import GraphFile, Importer, ImportRejection, ImportResult
from knowledgesmith.client._types.operations import OnProgress
from knowledgesmith.client._wire.files import graph_files, graph_parts
from knowledgesmith.client._wire.fill import message, read
from knowledgesmith.v1 import graph_pb2 as pb

from .base import LARGEST_PAGE, Namespace, key
from .operation import Operation

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

Record = dict[str, Any]


class Graphs(Namespace):
    """Knowledge graphs: imported, compared, checked, asked with Cypher, and whole as objects of other libraries."""

    @overload
    def import_files(
        self,
        *,
        graph_id: str,
        files: Sequence[GraphFile | Path | str],
        source: str = ...,
        validate_only: bool = ...,
        format: str = ...,
        options: Mapping[str, Any] | None = ...,
        strict: bool = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ImportResult: ...
    @overload
    def import_files(
        self,
        *,
        graph_id: str,
        files: Sequence[GraphFile | Path | str],
        source: str = ...,
        validate_only: bool = ...,
        format: str = ...,
        options: Mapping[str, Any] | None = ...,
        strict: bool = ...,
        request_id: str = ...,
        wait: Literal[False],
    ) -> Operation[ImportResult]: ...
    def import_files(
        self,
        *,
        graph_id: str,
        files: Sequence[GraphFile | Path | str],
        source: str = "",
        validate_only: bool = False,
        format: str = "",  # noqa: A002 - the word of the wire
        options: Mapping[str, Any] | None = None,
        strict: bool = False,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ImportResult | Operation[ImportResult]:
        """Upload the files of one graph and import them; importing again changes only what differs.

        An import that was cut off is completed by the same call.

        Args:
            graph_id: 1 to 63 of ``[a-z0-9_-]``, letter first.
            files: of one format; a folder stands for every file below it, in sorted order; ``.gz`` is unpacked.
            source: where the graph comes from.
            validate_only: check and report, write nothing.
            format: name of the importer (``importers``); empty = told from the names.
            options: of the importer.
            strict: import nothing when one record is rejected.
            request_id: idempotence key; one is drawn when none is given.
            wait: wait for the result; else return a handle.
            progress: told how far it is, about once a second.

        Raises:
            InvalidInput: a file cannot be read, or the format or an option is wrong.
            ImportRejected: nothing can be used, or (strict) a record is bad; the metadata names file and record.
            ImportRunning: another import of this graph runs.
        """
        found = graph_files(files)
        header = message(
            pb.ImportHeader,
            graph_id=graph_id,
            source=source,
            validate_only=validate_only,
            format=format,
            options=options,
            strict=strict,
            request_id=key(request_id),
        )
        return self._begin_upload(
            pb.ImportGraphRequest,
            lambda: graph_parts(header, found),
            ImportResult,
            files=[file.path for file in found],
            wait=wait,
            progress=progress,
        )

    @overload
    def import_bundled(
        self,
        *,
        name: str = ...,
        graph_id: str = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> ImportResult: ...
    @overload
    def import_bundled(
        self, *, name: str = ..., graph_id: str = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[ImportResult]: ...
    def import_bundled(
        self,
        *,
        name: str = "atlas",
        graph_id: str = "",
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> ImportResult | Operation[ImportResult]:
        """Import a graph that ships with the server, under ``graph_id`` or its own name."""
        request = message(pb.ImportBundledGraphRequest, name=name, graph_id=graph_id, request_id=key(request_id))
        return self._begin(request, ImportResult, wait=wait, progress=progress)

    def importers(self, *, limit: int | None = None) -> builtins.list[Importer]:
        """The formats that can be imported, by name."""
        return self._list(pb.ListImportersRequest(), pb.ListImportersResponse, "importers", Importer, limit)

    def rejections(self, *, operation: str, limit: int | None = None) -> builtins.list[ImportRejection]:
        """Every record that an import could not use, by file and record.

        Args:
            operation: name of the import's operation.
            limit: at most so many; ``None`` = all.

        Raises:
            OperationNotFound: no operation has this name.
        """
        request = message(pb.ListImportRejectionsRequest, operation=operation)
        return self._list(request, pb.ListImportRejectionsResponse, "rejections", ImportRejection, limit)

    def get(self, *, graph_id: str) -> Graph:
        """One graph with its counts.

        Raises:
            GraphNotFound: no graph has this id.
        """
        answer = self._transport.unary(message(pb.GetGraphRequest, graph_id=graph_id), pb.GetGraphResponse)
        return read(Graph, answer.graph)

    def list(self, *, limit: int | None = None) -> builtins.list[Graph]:
        """All graphs by id."""
        return self._list(pb.ListGraphsRequest(), pb.ListGraphsResponse, "graphs", Graph, limit)

    @overload
    def delete(
        self,
        *,
        graph_id: str,
        force: bool = ...,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> Deletion: ...
    @overload
    def delete(
        self, *, graph_id: str, force: bool = ..., request_id: str = ..., wait: Literal[False]
    ) -> Operation[Deletion]: ...
    def delete(
        self,
        *,
        graph_id: str,
        force: bool = False,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> Deletion | Operation[Deletion]:
        """Delete a graph; with ``force`` its branches, interventions and probe sets too.

        A deletion that was cut off is finished by asking again.

        Raises:
            StillReferenced: something stands on it, and ``force`` was not given.
            IllegalState: an intervention has not ended on it.
        """
        request = message(pb.DeleteGraphRequest, graph_id=graph_id, force=force, request_id=key(request_id))
        return self._begin(request, Deletion, wait=wait, progress=progress)

    def versions(self, *, graph_id: str, limit: int | None = None) -> builtins.list[GraphVersion]:
        """Versions of a graph, newest first: what each import changed.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = message(pb.ListGraphVersionsRequest, graph_id=graph_id)
        return self._list(request, pb.ListGraphVersionsResponse, "versions", GraphVersion, limit)

    @overload
    def diff(
        self,
        *,
        left_graph_id: str,
        right_graph_id: str,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> GraphDiff: ...
    @overload
    def diff(
        self, *, left_graph_id: str, right_graph_id: str, request_id: str = ..., wait: Literal[False]
    ) -> Operation[GraphDiff]: ...
    def diff(
        self,
        *,
        left_graph_id: str,
        right_graph_id: str,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> GraphDiff | Operation[GraphDiff]:
        """What differs between two graphs: relations, living entities and facts, with counts and examples.

        Raises:
            GraphNotFound: no graph has one of these ids.
        """
        request = message(
            pb.DiffGraphsRequest,
            left_graph_id=left_graph_id,
            right_graph_id=right_graph_id,
            request_id=key(request_id),
        )
        return self._begin(request, GraphDiff, wait=wait, progress=progress)

    @overload
    def check(
        self,
        *,
        graph_id: str,
        request_id: str = ...,
        wait: Literal[True] = ...,
        progress: OnProgress | None = ...,
    ) -> CheckReport: ...
    @overload
    def check(self, *, graph_id: str, request_id: str = ..., wait: Literal[False]) -> Operation[CheckReport]: ...
    def check(
        self,
        *,
        graph_id: str,
        request_id: str = "",
        wait: bool = True,
        progress: OnProgress | None = None,
    ) -> CheckReport | Operation[CheckReport]:
        """Check everything that must hold of a stored graph.

        Raises:
            GraphNotFound: no graph has this id.
        """
        request = message(pb.CheckGraphRequest, graph_id=graph_id, request_id=key(request_id))
        return self._begin(request, CheckReport, wait=wait, progress=progress)

    def cypher(self, *, query: str, parameters: Mapping[str, Any] | None = None, max_rows: int = 0) -> CypherResult:
        """Run one read-only query.

        Args:
            query: its text.
            parameters: None, truth values, numbers, texts, bytes, lists and mappings, by name.
            max_rows: 0 = 100; at most 1,000.

        Raises:
            InvalidInput: a parameter has no form in Cypher.
            ReadOnlyQuery: the query may write.
        """
        request = message(pb.RunCypherRequest, query=query, parameters=parameters, max_rows=max_rows)
        return read(CypherResult, self._transport.unary(request, pb.RunCypherResponse))

    def connection(self) -> ConnectionInfo:
        """How any Neo4j tool connects to the server's database."""
        answer = self._transport.unary(pb.GetConnectionInfoRequest(), pb.GetConnectionInfoResponse)
        return read(ConnectionInfo, answer)

    def entities(self, *, graph_id: str) -> builtins.list[Record]:
        """Every entity by uid, retired ones included, with the head beliefs."""
        rows = self._whole("entities", {"graph_id": graph_id, "after": ""}, lambda row: {"after": row["uid"]})
        return [{**row, **row.pop("beliefs")} for row in rows]

    def facts(self, *, graph_id: str) -> builtins.list[Record]:
        """Every asserted fact by subject and fact id."""
        catalogue = self._whole("relations", {"graph_id": graph_id, "after": ""}, lambda row: {"after": row["name"]})
        names = {row["rel_type"]: row["name"] for row in catalogue}
        start = {"graph_id": graph_id, "subject": "", "fact": ""}
        rows = self._whole("facts", start, lambda row: {"subject": row["subject"], "fact": row["fact_id"]})
        return [{**row, "relation": names.get(row["rel_type"], row["rel_type"])} for row in rows]

    def networkx(self, *, graph_id: str, retired: bool = False) -> nx.MultiDiGraph[str]:
        """The whole graph: uids as nodes, fact ids as edge keys, every property and head belief as an attribute.

        Args:
            graph_id: the graph.
            retired: keep entities that later imports no longer named.

        Raises:
            GraphNotFound: no graph has this id.
            FailedPrecondition: the extra ``notebook`` is not installed.
        """
        require(NOTEBOOK, "A networkx graph")
        import networkx as nx

        found = self.get(graph_id=graph_id)
        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(graph_id=graph_id, digest=found.digest, source=found.source)
        for row in self.entities(graph_id=graph_id):
            if retired or not row["retired"]:
                graph.add_node(row.pop("uid"), **row)
        for row in self.facts(graph_id=graph_id):
            subject, obj = row.pop("subject"), row.pop("object")
            if subject in graph and obj in graph:
                graph.add_edge(subject, obj, key=row["fact_id"], **row)
        return graph

    def entities_pandas(self, *, graph_id: str) -> pd.DataFrame:
        """One row an entity, indexed by uid."""
        require(NOTEBOOK, "A pandas table")
        import pandas as pd

        rows = self.entities(graph_id=graph_id)
        return pd.DataFrame(rows).set_index("uid") if rows else pd.DataFrame()

    def facts_pandas(self, *, graph_id: str) -> pd.DataFrame:
        """One row a fact, indexed by fact id."""
        require(NOTEBOOK, "A pandas table")
        import pandas as pd

        rows = self.facts(graph_id=graph_id)
        return pd.DataFrame(rows).set_index("fact_id") if rows else pd.DataFrame()

    def import_networkx(
        self,
        *,
        graph: nx.Graph[Any],
        graph_id: str,
        attributes: Attributes | None = None,
        relation: str = "",
        traits: Mapping[str, Mapping[str, Any]] | None = None,
        source: str = "networkx",
        validate_only: bool = False,
    ) -> ImportResult:
        """Import a networkx graph of any class.

        Args:
            graph: nodes become entities (uid: the node as text), edges facts. Edges of an undirected graph are facts
                of symmetric relations.
            graph_id: 1 to 63 of ``[a-z0-9_-]``, letter first.
            attributes: which attributes hold name, type, domain, aliases and relation.
            relation: relation of edges that name none.
            traits: catalogue columns by relation name, e.g. ``{"is_a": {"transitive": True, "hierarchical": True}}``.
            source: where the graph comes from.
            validate_only: check and report, write nothing.

        Raises:
            InvalidInput: two nodes read the same, or an edge names no relation.
            ImportRejected: the server refuses a row.
        """
        with tempfile.TemporaryDirectory() as folder:
            tables = write_tables(
                graph, Path(folder), attributes=attributes or Attributes(), relation=relation, traits=traits or {}
            )
            return self.import_files(graph_id=graph_id, files=tables, source=source, validate_only=validate_only)

    def _whole(self, name: str, start: Record, following: Callable[[Record], Record]) -> builtins.list[Record]:
        """All rows of a paged query; ``following`` maps the last row of a page to the parameters of the next one."""
        text = resources("knowledgesmith.client").joinpath("queries", f"{name}.cypher").read_text(encoding="utf-8")
        parameters = {**start, "limit": LARGEST_PAGE}
        found: builtins.list[Record] = []
        while True:
            answer = self.cypher(query=text, parameters=parameters, max_rows=LARGEST_PAGE)
            page = answer.records()
            found += page
            if len(page) < LARGEST_PAGE:
                return found
            parameters |= following(page[-1])
