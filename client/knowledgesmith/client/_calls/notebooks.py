"""Whole graphs as objects of networkx and pandas, and networkx objects as graphs; one call each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledgesmith.client._extras import NOTEBOOK, require
from knowledgesmith.client._networkx import Attributes, write_tables
from knowledgesmith.client._paging import LARGEST_PAGE
from knowledgesmith.client._types.imports import ImportResult
from knowledgesmith.client.interop import to_pandas

from .graphs import GraphCalls
from .imports import ImportCalls
from .propagation import PropagationCalls
from .questions import QuestionCalls

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

Record = dict[str, Any]


class NotebookCalls(GraphCalls, ImportCalls, PropagationCalls, QuestionCalls):
    """What a notebook asks for first."""

    def entities(self, *, graph_id: str) -> Iterator[Record]:
        """Every entity by uid, retired ones included, with the head beliefs; pages are fetched as they are read."""
        for row in self._pages("entities", {"graph_id": graph_id, "after": ""}, lambda row: {"after": row["uid"]}):
            yield {**row, **row.pop("beliefs")}

    def facts(self, *, graph_id: str) -> Iterator[Record]:
        """Every asserted fact by subject and fact id; pages are fetched as they are read."""
        catalogue = self._pages("relations", {"graph_id": graph_id, "after": ""}, lambda row: {"after": row["name"]})
        names = {row["rel_type"]: row["name"] for row in catalogue}
        start = {"graph_id": graph_id, "subject": "", "fact": ""}
        for row in self._pages("facts", start, lambda row: {"subject": row["subject"], "fact": row["fact_id"]}):
            yield {**row, "relation": names.get(row["rel_type"], row["rel_type"])}

    def graph_networkx(self, *, graph_id: str, retired: bool = False) -> nx.MultiDiGraph[str]:
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

        found = self.get_graph(graph_id=graph_id)
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

        rows = list(self.entities(graph_id=graph_id))
        return pd.DataFrame(rows).set_index("uid") if rows else pd.DataFrame()

    def facts_pandas(self, *, graph_id: str) -> pd.DataFrame:
        """One row a fact, indexed by fact id."""
        require(NOTEBOOK, "A pandas table")
        import pandas as pd

        rows = list(self.facts(graph_id=graph_id))
        return pd.DataFrame(rows).set_index("fact_id") if rows else pd.DataFrame()

    def ledger_pandas(self, *, intervention_id: str) -> pd.DataFrame:
        """One row a ledger row, indexed by ``seq``."""
        return to_pandas(self.list_changes(intervention_id=intervention_id))

    def metrics_pandas(self, *, intervention_id: str) -> pd.DataFrame:
        """One row a metric and group, with counts, interval and chance."""
        return to_pandas(self.metrics(intervention_id=intervention_id))

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
            return self.import_graph(graph_id=graph_id, files=tables, source=source, validate_only=validate_only)

    def _pages(self, name: str, start: Record, following: Callable[[Record], Record]) -> Iterator[Record]:
        """Rows of a paged query; ``following`` maps the last row of a page to the parameters of the next one."""
        text = files("knowledgesmith.client").joinpath("queries", f"{name}.cypher").read_text(encoding="utf-8")
        parameters = {**start, "limit": LARGEST_PAGE}
        while True:
            page = self.cypher(query=text, parameters=parameters, max_rows=LARGEST_PAGE).records()
            if not page:
                return
            parameters |= following(page[-1])
            yield from page
            if len(page) < LARGEST_PAGE:
                return
